"""Every command a client can send, with the types and limits of its fields.

`type` is the tag. Unknown fields are ignored. What a type cannot express (blank text,
text that is too long) is checked by the action.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from . import limits

Ref = int | float | str
Limit = Annotated[int, Meta(ge=1, le=limits.PAGE)]
Seq = Annotated[int, Meta(ge=1, le=2**62)]
Position = Annotated[int, Meta(ge=0, le=2**62)]
# NUL cannot be stored by PostgreSQL and means nothing in a name.
Plain = Annotated[str, Meta(pattern=r"\A[^\x00]*\Z")]
Slug = Plain
PersonId = Annotated[str, Meta(max_length=64, pattern=r"\A[^\x00]*\Z")]
Name = Annotated[str, Meta(max_length=limits.NAME, pattern=r"\A[^\x00]*\Z")]
Topic = Annotated[str, Meta(max_length=limits.TOPIC, pattern=r"\A[^\x00]*\Z")]
Cursor = Annotated[str, Meta(max_length=64)]
Emoji = Annotated[str, Meta(min_length=1, max_length=limits.EMOJI, pattern=r"\A[^\x00\s<>&]+\Z")]
Role = Literal["owner", "moderator", "member"]
InboxId = PersonId
Url = Annotated[str, Meta(max_length=limits.URL, pattern=r"\A[^\x00]*\Z")]
Time = Annotated[datetime, Meta(tz=True)]
Filter = Literal["unassigned", "mine", "all", "waiting", "snoozed", "resolved"]


class Command(Struct, tag_field="type", kw_only=True, gc=False):
    """What all commands share: the client's own reference, returned in the reply."""

    ref: Ref


class Ping(Command, tag="ping"):
    """A sign of life."""


class RoomList(Command, tag="room.list"):
    """My rooms."""

    cursor: Cursor | None = None
    limit: Limit = limits.PAGE_DEFAULT


class RoomSubscribe(Command, tag="room.subscribe"):
    """Receive a room's events; with `after` and `epoch`, go on where I was."""

    room: Slug
    limit: Limit = limits.PAGE_DEFAULT
    after: Position | UnsetType | None = UNSET
    epoch: str | None = None


class RoomUnsubscribe(Command, tag="room.unsubscribe"):
    """No longer receive a room's events."""

    room: Slug


class RoomJoin(Command, tag="room.join"):
    """Become a member of a public room."""

    room: Slug


class RoomLeave(Command, tag="room.leave"):
    """Be a member no longer."""

    room: Slug


class RoomCreate(Command, tag="room.create"):
    """Make a room; the same key gives the same room."""

    key: uuid.UUID
    name: Name = ""
    kind: Literal["public", "private", "direct"] = "public"
    members: Annotated[list[PersonId], Meta(max_length=100)] = []


class RoomUpdate(Command, tag="room.update"):
    """Change name or topic, archive or bring back."""

    room: Slug
    name: Name | UnsetType = UNSET
    topic: Topic | UnsetType = UNSET
    archived: bool | UnsetType = UNSET


class RoomFavourite(Command, tag="room.favourite"):
    """Keep a room of mine at the top of my list, or no longer."""

    room: Slug
    favourite: bool


class MemberAdd(Command, tag="member.add"):
    """Make somebody a member."""

    room: Slug
    member: PersonId
    role: Role = "member"


class MemberRemove(Command, tag="member.remove"):
    """Put somebody out of the room."""

    room: Slug
    member: PersonId


class MemberRole(Command, tag="member.role"):
    """Give a member another role."""

    room: Slug
    member: PersonId
    role: Role


class MemberList(Command, tag="member.list"):
    """The members of a room."""

    room: Slug
    cursor: Cursor | None = None
    limit: Limit = limits.PAGE_DEFAULT


class PersonFind(Command, tag="person.find"):
    """People whom I may write to, by name."""

    text: Annotated[Plain, Meta(max_length=limits.NAME)]
    limit: Limit = limits.PAGE_DEFAULT


class MessageSend(Command, tag="message.send"):
    """Say something; the key makes a retry safe.

    In a support conversation, `seen` is the seq up to which one had read when one wrote: what
    others have said since is a `conflict`, with those `messages`.
    """

    room: Slug
    key: uuid.UUID
    text: Plain
    reply_to: Seq | None = None
    attachments: list[str] = []
    seen: Position | None = None


class MessageEdit(Command, tag="message.edit"):
    """Change one's own text."""

    room: Slug
    seq: Seq
    text: Plain
    version: Seq | None = None


class MessageDelete(Command, tag="message.delete"):
    """Empty a message; its place remains."""

    room: Slug
    seq: Seq
    version: Seq | None = None


class ReactionAdd(Command, tag="reaction.add"):
    """React to a message."""

    room: Slug
    seq: Seq
    emoji: Emoji


class ReactionRemove(Command, tag="reaction.remove"):
    """Take a reaction back."""

    room: Slug
    seq: Seq
    emoji: Emoji


class ReadMark(Command, tag="read.mark"):
    """I have read up to here."""

    room: Slug
    seq: Position


class TypingStart(Command, tag="typing.start"):
    """I am writing."""

    room: Slug


class TypingStop(Command, tag="typing.stop"):
    """I am no longer writing."""

    room: Slug


class HistoryList(Command, tag="history.list"):
    """A page of messages before, after (both exclude) or around (includes) a seq."""

    room: Slug
    before: Position | None = None
    after: Position | None = None
    around: Position | None = None
    limit: Limit = limits.PAGE_DEFAULT


class ConversationOpen(Command, tag="conversation.open"):
    """A visitor's newest conversation, made where there is none; the same key gives the same.

    With `new` another is made where the newest is resolved. `url` is the page he is on.
    """

    key: uuid.UUID
    url: Url = ""
    new: bool = False


class ConversationRate(Command, tag="conversation.rate"):
    """A visitor says how well he was helped."""

    room: Slug
    rating: Annotated[int, Meta(ge=1, le=5)]
    text: Topic = ""


class ConversationList(Command, tag="conversation.list"):
    """Conversations of one of my inboxes, or of all of them.

    `waiting` has first who has waited longest, the other lists what was said last.
    """

    filter: Filter
    inbox: InboxId | None = None
    cursor: Cursor | None = None
    limit: Limit = limits.PAGE_DEFAULT


class ConversationSearch(Command, tag="conversation.search"):
    """Conversations of one of my inboxes, or of all of them, in which each word of `query` begins a
    word: all in one message or note, or all in the visitor's name, e-mail and id."""

    query: str
    inbox: InboxId | None = None
    cursor: Cursor | None = None
    limit: Limit = limits.PAGE_DEFAULT


class ConversationGet(Command, tag="conversation.get"):
    """A conversation, its visitor, and what else he has written about."""

    room: Slug


class ConversationAssign(Command, tag="conversation.assign"):
    """Give a conversation to an agent of its inbox, or (null) to nobody.

    `instead_of` is whose it is as far as one knows, null for nobody: if it is not, that is a
    `conflict`.
    """

    room: Slug
    agent: PersonId | None
    instead_of: PersonId | UnsetType | None = UNSET


class ConversationTransfer(Command, tag="conversation.transfer"):
    """Move a conversation to another inbox."""

    room: Slug
    inbox: InboxId


class ConversationSnooze(Command, tag="conversation.snooze"):
    """Put a conversation away until a time, or until its visitor writes. `seen` as with
    `conversation.resolve`."""

    room: Slug
    until: Time
    seen: Position | None = None


class ConversationResolve(Command, tag="conversation.resolve"):
    """The matter is settled. `seen` is the seq up to which one has read: what others have said
    since is a `conflict`, with those `messages`."""

    room: Slug
    seen: Position | None = None


class ConversationReopen(Command, tag="conversation.reopen"):
    """It is not settled, or not to wait any longer."""

    room: Slug


class ConversationReceived(Command, tag="conversation.received"):
    """Sent by an agent's client: what the visitor has said up to `seq` has come to it, whether or
    not anybody has read it. The visitor is told by `conversation.delivered`."""

    room: Slug
    seq: Position


class InboxList(Command, tag="inbox.list"):
    """The inboxes in which I answer, with their agents."""


class AgentAvailable(Command, tag="agent.available"):
    """Whether conversations are to be assigned to me automatically."""

    inbox: InboxId
    available: bool


class ReplyList(Command, tag="reply.list"):
    """The answers of an inbox that are ready to be sent."""

    inbox: InboxId


class Auth(Struct, tag_field="type", tag="auth", gc=False):
    """The first frame of a client that has neither cookie nor header. Needs no `ref`.

    `connect` is the last connect token, or "" to be given one.
    """

    token: Annotated[str, Meta(max_length=1024)]
    connect: str | None = None


Any = (
    Ping
    | RoomList
    | RoomSubscribe
    | RoomUnsubscribe
    | RoomJoin
    | RoomLeave
    | RoomCreate
    | RoomUpdate
    | RoomFavourite
    | MemberAdd
    | MemberRemove
    | MemberRole
    | MemberList
    | PersonFind
    | MessageSend
    | MessageEdit
    | MessageDelete
    | ReactionAdd
    | ReactionRemove
    | ReadMark
    | TypingStart
    | TypingStop
    | HistoryList
    | ConversationOpen
    | ConversationRate
    | ConversationList
    | ConversationSearch
    | ConversationGet
    | ConversationAssign
    | ConversationTransfer
    | ConversationSnooze
    | ConversationResolve
    | ConversationReopen
    | ConversationReceived
    | InboxList
    | AgentAvailable
    | ReplyList
    | Auth
)
BY_TYPE: dict[str, type[Struct]] = {cls.__struct_config__.tag: cls for cls in Any.__args__}
