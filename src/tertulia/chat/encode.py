"""Rows of the database to objects of the protocol."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from tertulia.protocol import events as ev
from tertulia.protocol.codec import encode
from tertulia.protocol.limits import REACTORS

from .models import Room
from .sql import RoomRow
from .sql.pages import PageEvent, PageMessage, SeenRoom


def now() -> datetime:
    """The present time as it is kept and shown: UTC, to the millisecond."""
    time = datetime.now(UTC)
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def timestamp(time: datetime) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"


def key_text(key: uuid.UUID) -> str:
    """A key as it stands on the wire."""
    return str(key)


def state_of(room: Room | RoomRow | SeenRoom) -> ev.RoomState:
    """The state of a room, without anybody's role."""
    return ev.RoomState(
        room=room.slug,
        name=room.name,
        kind=room.kind,
        topic=room.topic,
        archived=room.archived,
        messages=room.messages,
    )


def message_of(row: PageMessage) -> ev.Message:
    """A message as it stands now; the author's name as it was when he wrote."""
    return ev.Message(
        seq=row.seq,
        version=row.version,
        number=row.number,
        key=key_text(row.key),
        author=ev.Person(row.author_id, row.author_name, row.author_kind, row.author_avatar),
        text=row.text,
        html=row.html,
        sent_at=timestamp(row.sent_at),
        edited_at=timestamp(row.edited_at) if row.edited_at else None,
        deleted=row.deleted,
        reply_to=row.reply_to,
        mentions=row.mentions,
        attachments=[],
        reactions=_reactions(row.reactions) if row.reactions else [],
    )


def _reactions(given: list[tuple[str, str]]) -> list[ev.ReactionState]:
    """Each emoji once, in the order of its first use."""
    states: dict[str, ev.ReactionState] = {}
    for emoji, public_id in given:
        state = states.setdefault(emoji, ev.ReactionState(emoji=emoji, count=0, by=[]))
        state.count += 1
        if state.count <= REACTORS:
            state.by.append(public_id)
    return list(states.values())


def event_of(
    row: PageEvent,
    room: SeenRoom,
    messages: dict[int, ev.Message],
    members: dict[int, ev.Person],
) -> ev.Durable:
    """One line of the log as it is told now. `messages` by seq, `members` by primary key."""
    kind: Any = ev.DURABLE[row.kind]
    common = {
        "room": room.slug,
        "seq": row.seq,
        "at": timestamp(row.at),
        "actor": row.actor,
    }
    data = row.data
    if row.kind.startswith("message."):
        return kind(**common, message=messages[row.subject or 0])
    if row.kind.startswith("reaction."):
        return kind(**common, target=row.subject, emoji=data["emoji"], count=data["count"])
    if row.kind.startswith("member."):
        return kind(**common, member=members[row.subject or 0], role=data.get("role"))
    if row.kind == "conversation.changed":
        agent = members.get(row.subject or 0)
        return kind(**common, agent=agent, **data)
    return kind(**common, state=state_of(room))


__all__ = ["encode", "event_of", "message_of", "now", "state_of", "timestamp"]
