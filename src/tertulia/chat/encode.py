"""Rows of the database to objects of the protocol."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from tertulia.protocol import events as ev
from tertulia.protocol.codec import encode
from tertulia.protocol.limits import REACTORS

from .models import Event, Mention, Message, Participant, Reaction, Room
from .people import person_of
from .sql import RoomRow


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


def state_of(room: Room | RoomRow) -> ev.RoomState:
    """The state of a room, without anybody's role."""
    return ev.RoomState(
        room=room.slug,
        name=room.name,
        kind=room.kind,
        topic=room.topic,
        archived=room.archived,
        messages=room.messages,
    )


def message_of(
    message: Message,
    author: ev.Person,
    mentions: list[str],
    reactions: list[ev.ReactionState],
) -> ev.Message:
    """A message as it stands now; the author's name as it was when he wrote."""
    return ev.Message(
        seq=message.seq,
        version=message.version,
        number=message.number,
        key=key_text(message.key),
        author=ev.Person(author.id, message.author_name, author.kind, author.avatar),
        text=message.text,
        html=message.html,
        sent_at=timestamp(message.sent_at),
        edited_at=timestamp(message.edited_at) if message.edited_at else None,
        deleted=message.deleted,
        reply_to=message.reply_to,
        mentions=mentions,
        attachments=[],
        reactions=reactions,
    )


def messages_of(room_id: int, messages: list[Message]) -> list[ev.Message]:
    """Messages of one room with their reactions and mentions: two queries for all of them.

    The messages must have been read with `select_related("author")`.
    """
    if not messages:
        return []
    mentions: dict[int, list[str]] = {}
    for seq, public_id in (
        Mention.objects.filter(room_id=room_id, seq__in=[message.seq for message in messages])
        .order_by("id")
        .values_list("seq", "participant__public_id")
    ):
        mentions.setdefault(seq, []).append(public_id)
    reactions = reactions_of([message.pk for message in messages])
    return [
        message_of(
            message,
            person_of(message.author),
            mentions.get(message.seq, []),
            reactions.get(message.pk, []),
        )
        for message in messages
    ]


def reactions_of(message_ids: Iterable[int]) -> dict[int, list[ev.ReactionState]]:
    """Reactions by message, each emoji in the order of its first use."""
    states: dict[int, dict[str, ev.ReactionState]] = {}
    rows = (
        Reaction.objects.filter(message_id__in=list(message_ids), active=True)
        .order_by("id")
        .values_list("message_id", "emoji", "participant__public_id")
    )
    for message_id, emoji, public_id in rows:
        by_emoji = states.setdefault(message_id, {})
        state = by_emoji.setdefault(emoji, ev.ReactionState(emoji=emoji, count=0, by=[]))
        state.count += 1
        if state.count <= REACTORS:
            state.by.append(public_id)
    return {message_id: list(by_emoji.values()) for message_id, by_emoji in states.items()}


def event_of(
    row: Event,
    room: Room,
    messages: dict[int, ev.Message],
    members: dict[int, Participant],
) -> ev.Durable:
    """One line of the log as it is told now. `messages` by seq, `members` by primary key."""
    kind: Any = ev.DURABLE[row.kind]
    common = {
        "room": room.slug,
        "seq": row.seq,
        "at": timestamp(row.at),
        "actor": person_of(row.actor),
    }
    data = row.data or {}
    if row.kind.startswith("message."):
        return kind(**common, message=messages[row.subject or 0])
    if row.kind.startswith("reaction."):
        return kind(**common, target=row.subject, emoji=data["emoji"], count=data["count"])
    if row.kind.startswith("member."):
        member = person_of(members[row.subject or 0])
        return kind(**common, member=member, role=data.get("role"))
    return kind(**common, state=state_of(room))


__all__ = ["encode", "event_of", "message_of", "messages_of", "now", "state_of", "timestamp"]
