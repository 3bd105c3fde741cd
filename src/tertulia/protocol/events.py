"""What the server sends: objects, durable events, passing events, replies.

Nothing in a durable event depends on who receives it, so one encoding serves everybody.
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Raw, Struct, UnsetType

from .commands import Ref


class Person(Struct, frozen=True, gc=False):
    """A person as everybody sees him. `avatar` is an address or null."""

    id: str
    name: str
    kind: str
    avatar: str | None


class RoomState(Struct, kw_only=True):
    """The state of a room. `role` is the asker's, and is left out of durable events."""

    room: str
    name: str
    kind: str
    topic: str
    archived: bool
    messages: int
    role: str | UnsetType | None = UNSET


class MyRoom(RoomState, kw_only=True):
    """A line of `room.list`; `people` are the others of a direct room."""

    head: int
    read: int
    unread: int
    mentions: int
    favourite: bool
    people: list[Person] | UnsetType = UNSET


class Member(Person, frozen=True, gc=False):
    """A person with his role in the room at hand; `read` stands where everybody sees it."""

    role: str
    read: int | UnsetType = UNSET


class ReactionState(Struct):
    """One emoji on a message; `by` holds at most 50 ids."""

    emoji: str
    count: int
    by: list[str]


class Message(Struct, kw_only=True):
    """A message as it stands now. `version`: the seq of the last event that touched it."""

    seq: int
    version: int
    number: int
    key: str
    author: Person
    text: str
    html: str
    sent_at: str
    edited_at: str | None
    deleted: bool
    reply_to: int | None
    mentions: list[str]
    attachments: list[Any]
    reactions: list[ReactionState]


class LastMessage(Struct, kw_only=True):
    """The last thing said in a conversation: the first 200 code points of it."""

    seq: int
    at: str
    author: Person
    text: str


class Mail(Struct):
    """How answers fare that a visitor is sent by mail: `state` is `waiting`, `sent` or `failed`,
    and `seq` the last answer that is meant. `at`: when that became so, or when it is tried next."""

    state: str
    at: str
    address: str
    seq: int


class Conversation(Struct, kw_only=True):
    """A support conversation. `delivered_seq`: the highest seq that has come to an agent's client,
    `read_seq`: that an agent has read, `client_read`: that the visitor has. `mail`: how the last
    answers fare that go to him by mail, if any do.

    For the visitor `notes`, `snoozed_until` and `mail` are null, and a snoozed one is `open`.
    """

    room: str
    notes: str | None
    inbox: str
    client: Person
    agent: Person | None
    url: str
    status: str
    snoozed_until: str | None
    waiting_since: str | None
    opened_at: str
    resolved_at: str | None
    last: LastMessage | None
    head: int
    delivered_seq: int
    read_seq: int
    client_read: int
    rating: int | None
    rating_text: str
    mail: Mail | None


class Snippet(Struct):
    """A part of a text, on one line and at most 200 code points long; `marks` are the hits in it,
    each from one code point to before another."""

    text: str
    marks: list[list[int]]


class Found(Struct, kw_only=True):
    """Where a search found all its words: in a message of the conversation, or (`note`) of its
    notes, whose address is `room`; `text` and `marks` are as in a Snippet."""

    room: str
    seq: int
    at: str
    author: Person
    text: str
    marks: list[list[int]]
    note: bool


class SearchResult(Struct, kw_only=True):
    """A conversation that was found: by the newest of the messages that have all the words, by its
    visitor's name, e-mail and id, or by both."""

    conversation: Conversation
    found: Found | None
    visitor: Snippet | None


class Agent(Person, frozen=True, gc=False):
    """Who answers in an inbox. `here`: connected; `open`: the conversations assigned to him."""

    available: bool
    here: bool
    open: int


class Inbox(Struct, kw_only=True):
    """An inbox of mine. `counts` has `unassigned`, `mine`, `all` and `waiting`."""

    id: str
    name: str
    counts: dict[str, int]
    agents: list[Agent]


class Visitor(Person, frozen=True, gc=False):
    """What is known of a visitor; empty where it is not. `external_id` is his id at the site."""

    external_id: str | None
    email: str
    language: str
    time_zone: str
    url: str
    seen_at: str


class CannedReply(Struct):
    """An answer that is ready to be sent."""

    shortcut: str
    text: str


class Durable(Struct, kw_only=True, tag_field="type"):
    """What all events of the log share."""

    room: str
    seq: int
    at: str
    actor: Person


class MessageCreated(Durable, tag="message.created"):
    """Somebody said something."""

    message: Message


class MessageEdited(Durable, tag="message.edited"):
    """A text was changed."""

    message: Message


class MessageDeleted(Durable, tag="message.deleted"):
    """A text is gone; its place remains."""

    message: Message


class ReactionAdded(Durable, tag="reaction.added"):
    """`target` is the message's seq; this event's seq is its new version."""

    target: int
    emoji: str
    count: int


class ReactionRemoved(Durable, tag="reaction.removed"):
    """A reaction was taken back."""

    target: int
    emoji: str
    count: int


class MemberJoined(Durable, tag="member.joined"):
    """Somebody is a member now."""

    member: Person
    role: str | None


class MemberLeft(Durable, tag="member.left"):
    """Somebody is a member no longer: he left, or `actor` removed him."""

    member: Person
    role: str | None


class MemberChanged(Durable, tag="member.changed"):
    """A member has another role."""

    member: Person
    role: str | None


class RoomUpdated(Durable, tag="room.updated"):
    """Name, topic or archive changed."""

    state: RoomState


class ConversationChanged(Durable, tag="conversation.changed"):
    """A support conversation is in another state. `agent`: who has it now.

    `change`: `opened`, `assigned`, `resolved`, `reopened` or `rated` in the conversation's log,
    which its visitor reads; in that of the notes `snoozed`, `transferred`, and `reopened` for one
    that was snoozed.
    """

    change: str
    agent: Person | None
    status: str
    inbox: str
    snoozed_until: str | None
    rating: int | None


DURABLE: dict[str, type[Durable]] = {
    cls.__struct_config__.tag: cls  # type: ignore[misc]
    for cls in (
        MessageCreated,
        MessageEdited,
        MessageDeleted,
        ReactionAdded,
        ReactionRemoved,
        MemberJoined,
        MemberLeft,
        MemberChanged,
        RoomUpdated,
        ConversationChanged,
    )
}

# What `type` is for each of them.
KINDS: dict[type[Durable], str] = {cls: kind for kind, cls in DURABLE.items()}


class Welcome(Struct, tag_field="type", tag="welcome", kw_only=True):
    """The first frame from the server. `heartbeat` in seconds.

    `connect` is a connect token, for a client that has asked for one. `guest_token` and
    `visitor_token` are for guests and visitors to bring next time, by `auth`.
    """

    protocol: int
    epoch: str
    me: Person
    heartbeat: int
    limits: dict[str, int]
    guest_token: str | UnsetType = UNSET
    connect: str | UnsetType = UNSET
    visitor_token: str | UnsetType = UNSET


class ErrorBody(Struct, kw_only=True):
    """`field` stands with `invalid`, `retry_after` (seconds) where a retry can help, `messages`
    with the `conflict` of a `message.send` that was written without knowing them."""

    code: str
    detail: str
    field: str | UnsetType = UNSET
    retry_after: float | UnsetType = UNSET
    messages: list[Message] | UnsetType = UNSET


class Reply(Struct, tag_field="type", tag="reply", kw_only=True):
    """The one answer to a command that was carried out."""

    ref: Ref | None
    ok: bool = True
    result: Any = UNSET


class ErrorReply(Struct, tag_field="type", tag="reply", kw_only=True):
    """The one answer to a command that was refused."""

    ref: Ref | None
    ok: bool = False
    error: ErrorBody


class TypingStarted(Struct, tag_field="type", tag="typing.started"):
    """Somebody writes."""

    room: str
    who: Person


class TypingStopped(Struct, tag_field="type", tag="typing.stopped"):
    """Somebody writes no longer."""

    room: str
    who: Person


class PresenceChanged(Struct, tag_field="type", tag="presence.changed"):
    """Who is here: people, or above 100 members only how many."""

    room: str
    here: list[Person] | int


class ReadChanged(Struct, tag_field="type", tag="read.changed"):
    """`who` has read up to the seq `read`."""

    room: str
    read: int
    who: Person


class FavouriteChanged(Struct, tag_field="type", tag="favourite.changed"):
    """On another device I made a room a favourite, or made it one no longer."""

    room: str
    favourite: bool


class PersonChanged(Struct, tag_field="type", tag="person.changed"):
    """A member of the room has another name or picture. With `room` null: I have myself."""

    room: str | None
    who: Person


class RoomActivity(Struct, tag_field="type", tag="room.activity"):
    """A room of mine that I am not subscribed to has grown. `mentioned` are ids."""

    room: str
    head: int
    messages: int
    mentioned: list[str]


class ConversationActivity(Struct, tag_field="type", tag="conversation.activity"):
    """A conversation of an inbox of mine was made, has grown or is in another state."""

    room: str
    inbox: str
    head: int


class ConversationDelivered(Struct, tag_field="type", tag="conversation.delivered"):
    """What I have said in this conversation up to `seq` has come to an agent's client. It is told
    to the visitor, and never kept: the state of `conversation.open` says it, too."""

    room: str
    seq: int


class RoomEntered(Struct, tag_field="type", tag="room.entered"):
    """I am a member of this room now."""

    room: str


class RoomLeft(Struct, tag_field="type", tag="room.left"):
    """I am a member of this room no longer."""

    room: str


class Heartbeat(Struct, tag_field="type", tag="heartbeat"):
    """The server lives. `connect` is a new connect token, for a client that has asked for one."""

    connect: str | UnsetType = UNSET


class ClassicMessage(Struct, tag_field="type", tag="chat_message"):
    """A message as a client of the Channels tutorial gets it."""

    message: str
    username: str
    room: str
    seq: int
    sent_at: str


class ClassicError(Struct, tag_field="type", tag="error"):
    """A refusal as a classic client gets it: there is no `message` to be shown."""

    code: str
    detail: str
    retry_after: float | UnsetType = UNSET


Encoded = Raw
