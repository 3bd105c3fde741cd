"""What is read of rooms: pages of history, subscriptions, lists. Runs in the reader threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from django.db import connection
from django.db.models import Case, IntegerField, Q, Value, When
from msgspec import UNSET

from tertulia.hub.sequencer import LogEvent
from tertulia.protocol import events as ev
from tertulia.protocol.codec import encode
from tertulia.protocol.errors import invalid, not_found
from tertulia.protocol.limits import MEMBERS_FIRST, RESUME_BYTES, RESUME_EVENTS

from . import kinds
from .access import check_see
from .conf import conf
from .encode import event_of, message_of, state_of
from .log import forget_room, is_plain, known_ref
from .models import Installation, Membership, Participant, Room
from .people import Speaker, person_of, user_has
from .slugs import fold, fold_slug
from .sql import pages
from .sql.pages import PageMessage, PageRoom, SeenRoom

# After every text that begins with what stands before this.
LAST = "\U0010ffff"
# No participant's primary key.
NOBODY = 0


@contextmanager
def snapshot() -> Iterator[None]:
    """All reads inside see one state of the database, and nobody is kept from writing."""
    if connection.in_atomic_block:
        yield
        return
    begin = "BEGIN"
    if connection.vendor == "postgresql":
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    with connection.cursor() as cursor:
        cursor.execute(begin)
        try:
            yield
        finally:
            cursor.execute("COMMIT")


def epoch() -> str:
    """The name of this history; made on first use."""
    installation, _ = Installation.objects.get_or_create(pk=1)
    return installation.epoch


class Snapshot(msgspec.Struct):
    """What a subscription begins with: the encoded result, and what the hub must know."""

    result: msgspec.Raw
    head: int
    role: str | None
    members: int
    """At most `pages.COUNTED`."""
    epoch: str | None
    reset: bool = False
    unseen: bool = False
    """The others are not to be told that he is here."""


def subscription(
    speaker: Speaker, room_id: int, limit: int, after: int | None, epoch_matches: bool
) -> Snapshot:
    """A room from the beginning (`after` None), or exactly the events after `after`."""
    with snapshot():
        room = _visible(speaker, room_id)
        events: list[LogEvent] | None = None
        if after is not None and epoch_matches:
            events = _resume(room, after)
        if events is not None:
            result: dict[str, Any] = {
                "head": room.head,
                "events": [msgspec.Raw(event.payload) for event in events],
            }
            if room.kind == Room.Kind.DIRECT:
                # What passed meanwhile is not replayed, and everybody here sees who has read.
                result["reads"] = _reads(room)
        else:
            result = _fresh(room, limit)
            if after is not None:
                result["reset"] = True
        rules = kinds.rules_of(room.kind)
        if rules is not None:
            result.update(rules.told(room, speaker))
    raw = msgspec.Raw(encode(result))
    reset = events is None and after is not None
    unseen = rules is not None and rules.unseen(room)
    return Snapshot(
        *(raw, room.head, room.role, room.members, room.epoch), reset=reset, unseen=unseen
    )


def _visible(speaker: Speaker, room_id: int) -> SeenRoom:
    granted = "" if is_plain(room_id) else kinds.granted_sql()
    room = pages.room_by_id(connection, room_id, speaker.id, granted)
    if room is None:
        # Who asks once more is led to the one that has its address now, if there is one.
        forget_room(room_id)
    return _seen(speaker, room)


def visible_by_slug(speaker: Speaker, slug: str) -> SeenRoom:
    """The room at an address as he sees it; `not_found` where he does not."""
    ref = known_ref(slug)
    granted = "" if ref is not None and not ref.ruled else kinds.granted_sql()
    return _seen(speaker, pages.room_by_slug(connection, fold_slug(slug), speaker.id, granted))


def _seen(speaker: Speaker, room: SeenRoom | None) -> SeenRoom:
    check_see(room, room.role if room else None, speaker)
    assert room is not None
    return room


def _resume(room: SeenRoom, after: int) -> list[LogEvent] | None:
    """The events after `after`, or None where only a reset will do."""
    if after > room.head or room.head - after > RESUME_EVENTS:
        return None
    if after == room.head:
        # Most of those who come back have missed nothing.
        return []
    events = events_after(room, after, RESUME_EVENTS)
    if sum(len(event.payload) + 1 for event in events) > RESUME_BYTES:
        return None
    if len(events) != room.head - after:
        # The log has a hole: never pass on a part of it.
        raise RuntimeError(f"The log of room {room.id} has a gap after {after}.")
    return events


def _fresh(room: SeenRoom, limit: int) -> dict[str, Any]:
    page = pages.messages_before(connection, room.id, room.head + 1, limit + 1)
    state = state_of(room)
    state.role = room.role
    people, more = _members_page(room, None, MEMBERS_FIRST)
    return {
        "state": state,
        "head": room.head,
        "read": room.read,
        "messages": [message_of(row) for row in page[:limit][::-1]],
        "messages_more": len(page) > limit,
        "members": people,
        "members_more": more,
    }


def _reads(room: SeenRoom) -> dict[str, int]:
    """How far each member has read, by public id."""
    present = Membership.objects.filter(room=room.id, left_seq__isnull=True)
    return dict(present.values_list("participant__public_id", "read_seq"))


def events_after(room: SeenRoom, after: int, limit: int) -> list[LogEvent]:
    """The log after `after`, each event as it is told now; three queries for all of them."""
    rows = pages.events_after(connection, room.id, after, limit)
    subjects = {row.subject or 0 for row in rows if row.kind.startswith("message.")}
    found = pages.messages_at(connection, room.id, list(subjects))
    messages = {row.seq: message_of(row) for row in found}
    about = ("member.", "conversation.")
    member_ids = {row.subject for row in rows if row.subject and row.kind.startswith(about)}
    members = pages.people_at(connection, list(member_ids))
    return [_log_event(row.kind, room, event_of(row, room, messages, members)) for row in rows]


def _log_event(kind: str, room: SeenRoom, event: ev.Durable) -> LogEvent:
    member = getattr(event, "member", None)
    return LogEvent(
        seq=event.seq,
        kind=kind,
        payload=encode(event),
        member=member.id if member else None,
        role=getattr(event, "role", None),
        ends=kind == "member.left" and room.kind != Room.Kind.PUBLIC,
    )


def read_head(room_id: int) -> int:
    """The last seq of a room's log; 0 where the room is gone."""
    return Room.objects.filter(pk=room_id).values_list("head", flat=True).first() or 0


def read_log(room_id: int, after: int, limit: int, epoch: str) -> list[LogEvent]:
    """For repairs: the log of a room after `after`; empty where the room, or this history of it,
    is gone."""
    with snapshot():
        room = pages.room_by_id(connection, room_id, NOBODY)
        if room is None or room.epoch != epoch:
            return []
        return events_after(room, after, limit)


def _members_page(
    room: SeenRoom, cursor: str | None, limit: int
) -> tuple[list[ev.Member], str | None]:
    """Members by the order of their first entry; `cursor` is the last one's place."""
    after = 0 if cursor is None else _cursor(cursor)
    page = pages.members_after(connection, room.id, after, limit + 1)
    # Where everybody sees who has read.
    told = room.kind == Room.Kind.DIRECT or kinds.rules_of(room.kind) is not None
    members = [
        ev.Member(
            id=row.id,
            name=row.name,
            kind=row.kind,
            avatar=row.avatar,
            role=row.role,
            read=row.read if told else UNSET,
        )
        for row in page[:limit]
    ]
    return members, str(page[limit - 1].place) if len(page) > limit else None


def _cursor(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise invalid("cursor", "Send back the `more` of the page before, or nothing.")
    return int(text)


def member_list(speaker: Speaker, slug: str, cursor: str | None, limit: int) -> dict[str, Any]:
    """A page of a room's members."""
    with snapshot():
        room = visible_by_slug(speaker, slug)
        members, more = _members_page(room, cursor, limit)
    return {"members": members, "more": more}


def room_list(speaker: Speaker, cursor: str | None, limit: int) -> dict[str, Any]:
    """My rooms in the order in which I first entered them."""
    after = 0 if cursor is None else _cursor(cursor)
    with snapshot():
        page = pages.rooms_of(connection, speaker.id, after, limit + 1)
        shown = page[:limit]
        direct = [row.id for row in shown if row.kind == Room.Kind.DIRECT]
        people = pages.others_in(connection, direct, speaker.id)
    rooms = [_my_room(row, people) for row in shown]
    return {"rooms": rooms, "more": str(shown[-1].place) if len(page) > limit else None}


def _my_room(row: PageRoom, people: dict[int, list[ev.Person]]) -> ev.MyRoom:
    return ev.MyRoom(
        room=row.slug,
        name=row.name,
        kind=row.kind,
        topic=row.topic,
        archived=row.archived,
        messages=row.messages,
        role=row.role,
        head=row.head,
        read=row.read,
        unread=row.messages - row.read_number,
        mentions=row.mentions,
        favourite=row.favourite,
        people=people.get(row.id, []) if row.kind == Room.Kind.DIRECT else UNSET,
    )


def history(
    speaker: Speaker,
    slug: str,
    before: int | None,
    after: int | None,
    around: int | None,
    limit: int,
) -> dict[str, Any]:
    """A page of messages, ascending. Without a place: the newest."""
    given = [name for name, value in _places(before, after, around) if value is not None]
    if len(given) > 1:
        raise invalid(given[1], "Give one of `before`, `after`, `around`.")
    with snapshot():
        room = visible_by_slug(speaker, slug)
        if around is not None:
            page, more_before, more_after = _around(room.id, around, limit)
        elif after is not None:
            page, more_after = _cut(
                pages.messages_from(connection, room.id, after + 1, limit + 1), limit
            )
            more_before = pages.has_messages(connection, room.id, before=after + 1)
        else:
            end = before if before is not None else room.head + 1
            page, more_before = _cut(
                pages.messages_before(connection, room.id, end, limit + 1), limit
            )
            page.reverse()
            more_after = end <= room.head and pages.has_messages(connection, room.id, since=end)
    return {
        "messages": [message_of(row) for row in page],
        "head": room.head,
        "more_before": more_before,
        "more_after": more_after,
    }


def _places(
    before: int | None, after: int | None, around: int | None
) -> list[tuple[str, int | None]]:
    return [("before", before), ("after", after), ("around", around)]


def _cut(rows: list[PageMessage], limit: int) -> tuple[list[PageMessage], bool]:
    """The page, and whether there was more than it holds."""
    return rows[:limit], len(rows) > limit


def _around(room_id: int, seq: int, limit: int) -> tuple[list[PageMessage], bool, bool]:
    """`seq` and what stands about it; a side that is short leaves its places to the other."""
    later = pages.messages_from(connection, room_id, seq, limit + 1)
    earlier = pages.messages_before(connection, room_id, seq, limit + 1)
    want_later = max(limit - limit // 2, limit - len(earlier))
    shown_later = later[:want_later]
    shown_earlier = earlier[: limit - len(shown_later)]
    return (
        shown_earlier[::-1] + shown_later,
        len(earlier) > len(shown_earlier),
        len(later) > len(shown_later),
    )


def find_people(speaker: Speaker, text: str, limit: int) -> dict[str, Any]:
    """People by name: first those whose name begins with `text`, then those of whom another
    word does, then whoever's name holds it. Only what is not found by the beginning of a name
    takes a look at everybody's.
    """
    folded = fold(text.strip())
    kinds = [Participant.Kind.MEMBER, Participant.Kind.BOT]
    if conf.open:
        kinds.append(Participant.Kind.GUEST)
    rows = (
        Participant.objects.filter(kind__in=kinds, name_fold__contains=folded)
        .exclude(pk=speaker.id)
        # An account that was deleted leaves a member without a user: nobody to write to.
        .exclude(kind=Participant.Kind.MEMBER, user__isnull=True)
    )
    if user_has("is_active"):
        rows = rows.filter(Q(user__isnull=True) | Q(user__is_active=True))
    begin = rows.filter(_begins("name_fold", folded))
    found = list(begin.order_by("name_fold", "id")[:limit])
    if len(found) < limit:
        others = rows.exclude(pk__in=[row.pk for row in found])
        word = When(_word_begins("name_fold", folded), then=Value(0))
        rank = Case(word, default=Value(1), output_field=IntegerField())
        found += others.order_by(rank, "name_fold", "id")[: limit - len(found)]
    return {"people": [person_of(row) for row in found]}


def _begins(field: str, text: str) -> Q:
    """The beginning of a column, in a form that the database has an index for."""
    if connection.vendor == "sqlite":
        # Its LIKE uses none; its order is that of the code points.
        return Q(**{f"{field}__gte": text, f"{field}__lt": text + LAST})
    return Q(**{f"{field}__startswith": text})


def _word_begins(field: str, text: str) -> Q:
    """The beginning of a word after the first."""
    fits = Q()
    for between in " -._":
        fits |= Q(**{f"{field}__contains": between + text})
    return fits


def entry(speaker: Speaker, room_id: int) -> Snapshot:
    """What a subscription without history begins with; `not_found` where he may not read."""
    with snapshot():
        room = _visible(speaker, room_id)
    rules = kinds.rules_of(room.kind)
    unseen = rules is not None and rules.unseen(room)
    return Snapshot(*(msgspec.Raw(), room.head, room.role, room.members, room.epoch), unseen=unseen)


def nothing() -> None:
    """Refuses an address where no room was found, which took a question by itself: together the
    work of refusing a hidden room, which is known by its address and then looked at."""
    with snapshot():
        raise not_found()
