export default {
  title: "Chat with us",
  greeting: "Hello! Write to us here. We answer as soon as we can.",
  close: "Close the chat",
  notHere: "This conversation is part of another site's page.",

  // Who is there
  here: "We are here",
  nobody: "Nobody is here at the moment.",
  opensToday: "Somebody will be here today at {time}.",
  opensTomorrow: "Somebody will be here tomorrow at {time}.",
  opens: "Somebody will be here on {day} at {time}.",
  answersYou: "{name} is answering you",

  // The log
  messages: "Messages",
  earlier: "Earlier messages",
  newBelow: { one: "{n} new ↓", other: "{n} new ↓" },
  toLatest: "To the newest ↓",
  today: "Today",
  yesterday: "Yesterday",
  you: "You",
  saidBy: "{name}: {text}",
  newMessages: { one: "{n} new message", other: "{n} new messages" },
  deletedText: "This message was deleted.",
  edited: "(edited)",
  typing: "{name} is typing…",

  // How it stands with a message
  waiting: "Waiting for the connection",
  sending: "Sending…",
  again: { one: "Sent again in {n} s", other: "Sent again in {n} s" },
  stored: "Sent",
  delivered: "Delivered",
  read: "Read",
  notSent: "Not sent: {why}",
  retry: "Try again",
  discard: "Discard",
  notKept: "This browser keeps nothing: leave the page open until it is sent.",

  // The connection
  connecting: "Connecting…",
  offline: "You are offline. What you write is sent later.",
  unopened: "Your conversation cannot be shown at the moment. Trying again…",
  unreachable: "The chat cannot be reached. Trying again…",
  refused: "The chat cannot be used here at the moment. Load the page anew.",
  identityOld: "This page has been open for too long. Load it anew to go on: what you wrote is kept.",
  linkOld: "The link in the mail is too old to open your conversation. You can write to us here.",

  // Writing
  message: "Message",
  placeholder: "Write a message…",
  send: "Send",
  tooLong: { one: "{n} character too many", other: "{n} characters too many" },

  // An address
  emailOffer: "Leave your e-mail address, and answers reach you by mail when you are no longer here.",
  email: "E-mail address",
  leave: "Save",
  emailWrong: "This does not look like an e-mail address.",
  emailNoMore: "We may not write to this address. The last mail we sent there has a link that changes this.",
  emailKept: "We have your address: {email}",
  change: "Change",

  // The end
  resolved: "This conversation is closed. Write to open it again.",
  another: "Start a new conversation",
  goBack: "Back to the last conversation",
  rate: "How well did we help you?",
  "rating.1": "Very badly",
  "rating.2": "Badly",
  "rating.3": "Fairly",
  "rating.4": "Well",
  "rating.5": "Very well",
  rateText: "Anything to add? (optional)",
  rated: "Thank you for your rating.",
  tryLater: "That did not work. Try again in a moment.",

  // Refusals
  "error.forbidden": "it is not allowed",
  "error.not_found": "the conversation is gone",
  "error.too_large": "it is too long",
  "error.invalid": "it cannot be sent like this",
  "error.conflict": "it was sent before",
  "error.other": "the server did not take it",
};
