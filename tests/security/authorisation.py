"""Who may do what, as data: every command for every role in every kind of room.

Written from the contract and `docs/protocol.md`, never from what the server happens to answer.
`test_matrix.py` tries every cell over real sockets; `python -m tests.security.reference` makes
`docs/authorisation.md` of it. A command without a row here fails the tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ANSWERS = {
    "o": "ok",
    "f": "forbidden",
    "n": "not_found",
    "c": "conflict",
    "i": "invalid",
}
# Those in the room, then those who are not. A cell `-`: there is nobody of this role there.
INSIDE = ("owner", "moderator", "member", "bot", "guest member")
OUTSIDE = ("reader", "stranger", "removed", "guest")
ROLES = INSIDE + OUTSIDE
MEANING = {
    "owner": "who made the room, or was made an owner of it",
    "moderator": "a member who was made a moderator",
    "member": "a member",
    "bot": "a bot with a token of its own, as a member",
    "guest member": "under `serve --open`: somebody without an account, as a member",
    "reader": "somebody with an account who has subscribed to a public room and not joined it",
    "stranger": "somebody with an account who never was in the room",
    "removed": "who was a member, said something, and was put out",
    "guest": "under `serve --open`: somebody without an account, not in the room",
}
# These two get the same answer to every command, whatever the room.
NOBODY = "unauthenticated"
DEACTIVATED = 4401
# What else can be in the place of a room; `support` until somebody can make one.
KINDS = ("public", "private", "direct", "support", "absent")
SUPPORT = (
    "A room of this kind that a host's code has made is closed to strangers. Those of the support"
    " desk have a table of their own, below."
)


@dataclass(frozen=True)
class Row:
    """One act. Each of the texts has a letter of `ANSWERS` for each of `ROLES`.

    `direct` is as `private` where it is not given. `archived` is for a public room; in the other
    kinds its first half holds, since who is outside sees none of them. `absent`: one letter.
    """

    command: str
    case: str
    public: str
    private: str
    direct: str | None = None
    archived: str | None = None
    absent: str = "n"

    def letters(self, kind: str, *, archived: bool) -> str:
        """The letters of a kind of room, one a role."""
        if kind == "absent":
            return self._strangers(self.absent)
        if kind == "support":
            return self._strangers(self.private[ROLES.index("stranger")])
        if kind == "public":
            return (self.archived or self.public) if archived else self.public
        hidden = self.direct if kind == "direct" and self.direct else self.private
        inside = len(INSIDE)
        return self.archived[:inside] + hidden[inside:] if archived and self.archived else hidden

    def _strangers(self, letter: str) -> str:
        return "".join(letter if role == "stranger" else "-" for role in ROLES)

    def expected(self, kind: str, role: str, *, archived: bool) -> str | None:
        """The code of the answer, or None where the cell is empty."""
        return ANSWERS.get(self.letters(kind, archived=archived)[ROLES.index(role)])


_READ = ("ooooooooo", "ooooo-nnn")
_BELONG = ("oooooffff", "ooooo-nnn")

# What has a room. The order is that of the trial: what ends a membership comes last.
ROWS = (
    Row("room.subscribe", "", *_READ),
    Row("room.subscribe", "from where one was", *_READ),
    Row("room.unsubscribe", "", *_READ),
    Row("history.list", "", *_READ),
    Row("member.list", "", *_READ),
    Row("message.send", "", *_BELONG, archived="fffffffff"),
    # A repeated key is answered before anything else is looked at.
    Row("message.send", "again, with its key", "ooooo--o-", "ooooo--o-", absent="c"),
    Row("message.send", "with a key of another room", "ccccccccc", "ccccc-ccc", absent="c"),
    Row("message.edit", "one's own", "ooooo--f-", "ooooo--n-", archived="fffff--f-"),
    Row("message.edit", "another's", "fffffffff", "fffff-nnn"),
    Row("message.delete", "one's own", "ooooo--f-", "ooooo--n-", archived="fffff--f-"),
    Row("message.delete", "another's", "oofffffff", "oofff-nnn", archived="fffffffff"),
    Row("reaction.add", "", *_BELONG, archived="fffffffff"),
    Row("reaction.remove", "one's own", "ooooo--f-", "ooooo--n-", archived="fffff--f-"),
    Row("reaction.remove", "that never was", "cccccffff", "ccccc-nnn"),
    Row("read.mark", "", *_BELONG),
    Row("typing.start", "", *_BELONG),
    Row("typing.stop", "", *_BELONG),
    Row("room.favourite", "", *_BELONG),
    Row("room.update", "name and topic", "oofffffff", "oofff-nnn"),
    Row("room.update", "archive, or bring back", "offffffff", "offff-nnn"),
    Row("room.update", "name, and the archive beside it", "offffffff", "offff-nnn"),
    Row("member.add", "", *_BELONG, direct="fffff-nnn", archived="fffffffff"),
    Row("member.add", "as an owner", "offffffff", "offff-nnn", "fffff-nnn", archived="fffffffff"),
    Row("member.remove", "a member", "oofffffff", "oofff-nnn"),
    Row("member.remove", "an owner", "offffffff", "offff-nnn"),
    Row("member.role", "another's", "offffffff", "offff-nnn"),
    Row("member.role", "one's own, to be an owner", "offffffff", "offff-nnn"),
    # Leaving again is answered by the event that ended it; who was put out of a room that is not
    # public sees none.
    Row("room.leave", "", "oooooccoc", "ooooo-nnn"),
    Row("room.join", "", "ooooooooo", "ooooo-nnn", archived="oooooffff"),
    # Rooms that are no conversations.
    *(
        Row(f"conversation.{name}", "", "nnnnnnnnn", "nnnnn-nnn")
        for name in ("get", "received", "assign", "transfer", "snooze", "resolve", "reopen", "rate")
    ),
)

# What has no room: the same for all who have said who they are.
ANYWHERE = (
    ("ping", "", "o"),
    ("auth", "with one's own token", "o"),
    ("room.list", "", "o"),
    ("person.find", "", "o"),
    ("room.create", "public", "o"),
    ("room.create", "private", "o"),
    ("room.create", "direct", "o"),
    ("room.create", "support", "i"),
    # Those who answer in no inbox.
    ("inbox.list", "", "o"),
    ("conversation.list", "", "o"),
    ("conversation.list", "of an inbox", "n"),
    ("conversation.search", "", "o"),
    ("conversation.search", "of an inbox", "n"),
    ("agent.available", "", "n"),
    ("reply.list", "", "n"),
    ("conversation.open", "", "f"),
)
# Rows that end or begin a membership: tried when everything else has been.
FOR_MEMBERS_LAST = ("room.join", "room.leave")
FOR_OTHERS_LAST = ("room.leave", "room.join")


# Conversations of the support desk, and those who could come to one.
SUPPORT_ROLES = ("visitor", "agent", "foreign agent", "another visitor", "member")
SUPPORT_MEANING = {
    "visitor": "whose conversation it is",
    "agent": "who answers in its inbox",
    "foreign agent": "who answers in another inbox",
    "another visitor": "a visitor of the same inbox",
    "member": "somebody with an account",
}


@dataclass(frozen=True)
class SupportRow:
    """One act: a letter for each of `SUPPORT_ROLES`, in the conversation and in its notes."""

    command: str
    room: str
    notes: str

    def expected(self, role: str, *, notes: bool) -> str:
        """The code of the answer."""
        return ANSWERS[(self.notes if notes else self.room)[SUPPORT_ROLES.index(role)]]


# What a visitor may ask for at all is a list; everything else is refused before it is looked at.
_SHARED = ("oonnn", "nonnn")
_AGENTS = ("fonfn", "fonfn")
_NOBODY = ("ffnfn", "ffnfn")
_ON_IT = ("fonfn", "fnnfn")

SUPPORT_ROWS = (
    SupportRow("room.subscribe", *_SHARED),
    SupportRow("room.unsubscribe", *_SHARED),
    SupportRow("history.list", *_SHARED),
    SupportRow("message.send", *_SHARED),
    SupportRow("read.mark", *_SHARED),
    SupportRow("typing.start", *_SHARED),
    SupportRow("typing.stop", *_SHARED),
    SupportRow("member.list", *_AGENTS),
    # Another's message in the conversation, one's own in the notes.
    SupportRow("message.edit", "ffnfn", "fonfn"),
    SupportRow("message.delete", *_AGENTS),
    SupportRow("reaction.add", *_AGENTS),
    SupportRow("reaction.remove", "fcnfn", "fcnfn"),
    SupportRow("room.favourite", *_NOBODY),
    SupportRow("room.update", *_NOBODY),
    SupportRow("room.join", *_NOBODY),
    SupportRow("room.leave", *_NOBODY),
    SupportRow("member.add", *_NOBODY),
    SupportRow("member.remove", *_NOBODY),
    SupportRow("member.role", *_NOBODY),
    SupportRow("conversation.get", *_ON_IT),
    SupportRow("conversation.received", *_ON_IT),
    SupportRow("conversation.assign", *_ON_IT),
    SupportRow("conversation.snooze", *_ON_IT),
    SupportRow("conversation.reopen", *_ON_IT),
    SupportRow("conversation.resolve", *_ON_IT),
    SupportRow("conversation.transfer", *_ON_IT),
    SupportRow("conversation.rate", "ofnnn", "nnnnn"),
)
# What has no room; `conversation.list`, `agent.available` and `reply.list` are of that inbox.
SUPPORT_ANYWHERE = {
    "ping": "ooooo",
    "auth": "ooooo",
    "room.list": "ooooo",
    "person.find": "foofo",
    "room.create": "foofo",
    "inbox.list": "foofo",
    "agent.available": "fonfn",
    "reply.list": "fonfn",
    "conversation.list": "fonfn",
    "conversation.search": "fonfn",
    "conversation.open": "offof",
}


def word(answer: str | dict[str, Any]) -> str:
    """A letter, or a reply, as the code of `ANSWERS`."""
    if isinstance(answer, str):
        return ANSWERS[answer]
    return "ok" if answer["ok"] else str(answer["error"]["code"])
