"""What is read of rooms: pages of history, subscriptions, lists. Runs in the reader threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from django.db import connection
from django.db.models import Count, Q, QuerySet
from msgspec import UNSET

from tertulia.hub.sequencer import LogEvent
from tertulia.protocol import events as ev
from tertulia.protocol.codec import encode
from tertulia.protocol.errors import invalid
from tertulia.protocol.limits import MEMBERS_FIRST, RESUME_BYTES, RESUME_EVENTS

from .access import check_see, find_room, role_in
from .conf import conf
from .encode import event_of, messages_of, state_of
from .models import Event, Installation, Membership, Mention, Message, Participant, Room
from .people import Speaker, person_of, user_has
from .slugs import fold

# After every text that begins with what stands before this.
LAST = "\U0010ffff"


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
    reset: bool = False


def subscription(
    speaker: Speaker, room_id: int, limit: int, after: int | None, epoch_matches: bool
) -> Snapshot:
    """A room from the beginning (`after` None), or exactly the events after `after`."""
    with snapshot():
        room, membership = _visible(speaker, room_id)
        members = _present(room).count()
        role = membership.role if membership else None
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
            result = _fresh(room, membership, limit, members)
            if after is not None:
                result["reset"] = True
    raw = msgspec.Raw(encode(result))
    return Snapshot(raw, room.head, role, members, reset=events is None and after is not None)


def _visible(speaker: Speaker, room_id: int) -> tuple[Room, Membership | None]:
    room = Room.objects.filter(pk=room_id).first()
    membership = Membership.objects.filter(
        room_id=room_id, participant_id=speaker.id, left_seq__isnull=True
    ).first()
    check_see(room, membership.role if membership else None)
    assert room is not None
    return room, membership


def _resume(room: Room, after: int) -> list[LogEvent] | None:
    """The events after `after`, or None where only a reset will do."""
    if after > room.head or room.head - after > RESUME_EVENTS:
        return None
    events = events_after(room, after, RESUME_EVENTS)
    if sum(len(event.payload) + 1 for event in events) > RESUME_BYTES:
        return None
    if len(events) != room.head - after:
        # The log has a hole: never pass on a part of it.
        raise RuntimeError(f"The log of room {room.pk} has a gap after {after}.")
    return events


def _fresh(room: Room, membership: Membership | None, limit: int, members: int) -> dict[str, Any]:
    page = list(_messages(room).order_by("-seq")[: limit + 1])
    state = state_of(room)
    state.role = membership.role if membership else None
    people, more = _members_page(room, None, MEMBERS_FIRST)
    return {
        "state": state,
        "head": room.head,
        "read": membership.read_seq if membership else 0,
        "messages": messages_of(room.pk, page[:limit][::-1]),
        "messages_more": len(page) > limit,
        "members": people,
        "members_more": more,
    }


def _reads(room: Room) -> dict[str, int]:
    """How far each member has read, by public id."""
    return dict(_present(room).values_list("participant__public_id", "read_seq"))


def _messages(room: Room) -> QuerySet[Message]:
    return Message.objects.filter(room=room).select_related("author")


def _present(room: Room) -> QuerySet[Membership]:
    return Membership.objects.filter(room=room, left_seq__isnull=True)


def events_after(room: Room, after: int, limit: int) -> list[LogEvent]:
    """The log after `after`, each event as it is told now; five queries for all of them."""
    rows = list(
        Event.objects.filter(room=room, seq__gt=after)
        .select_related("actor")
        .order_by("seq")[:limit]
    )
    subjects = {row.subject or 0 for row in rows if row.kind.startswith("message.")}
    found = list(_messages(room).filter(seq__in=subjects)) if subjects else []
    messages = {message.seq: message for message in messages_of(room.pk, found)}
    member_ids = {row.subject or 0 for row in rows if row.kind.startswith("member.")}
    members = Participant.objects.in_bulk(member_ids) if member_ids else {}
    return [_log_event(row, room, event_of(row, room, messages, members)) for row in rows]


def _log_event(row: Event, room: Room, event: ev.Durable) -> LogEvent:
    member = getattr(event, "member", None)
    return LogEvent(
        seq=row.seq,
        kind=row.kind,
        payload=encode(event),
        member=member.id if member else None,
        role=getattr(event, "role", None),
        ends=row.kind == "member.left" and room.kind != Room.Kind.PUBLIC,
    )


def read_head(room_id: int) -> int:
    """The last seq of a room's log; 0 where the room is gone."""
    return Room.objects.filter(pk=room_id).values_list("head", flat=True).first() or 0


def read_log(room_id: int, after: int, limit: int) -> list[LogEvent]:
    """For repairs: the log of a room after `after`; empty where the room is gone."""
    with snapshot():
        room = Room.objects.filter(pk=room_id).first()
        return [] if room is None else events_after(room, after, limit)


def _members_page(room: Room, cursor: str | None, limit: int) -> tuple[list[ev.Member], str | None]:
    """Members by the order of their first entry; `cursor` is the last membership's id."""
    rows = _present(room).select_related("participant").order_by("id")
    if cursor is not None:
        rows = rows.filter(pk__gt=_cursor(cursor))
    page = list(rows[: limit + 1])
    members = [
        ev.Member(
            id=row.participant.public_id,
            name=row.participant.name,
            kind=row.participant.kind,
            avatar=row.participant.avatar,
            role=row.role,
            read=row.read_seq if room.kind == Room.Kind.DIRECT else UNSET,
        )
        for row in page[:limit]
    ]
    return members, str(page[limit - 1].pk) if len(page) > limit else None


def _cursor(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise invalid("cursor", "Send back the `more` of the page before, or nothing.")
    return int(text)


def member_list(speaker: Speaker, slug: str, cursor: str | None, limit: int) -> dict[str, Any]:
    """A page of a room's members."""
    with snapshot():
        room = _visible_by_slug(speaker, slug)
        members, more = _members_page(room, cursor, limit)
    return {"members": members, "more": more}


def _visible_by_slug(speaker: Speaker, slug: str) -> Room:
    room = find_room(slug)
    check_see(room, role_in(room.pk, speaker.id) if room else None)
    assert room is not None
    return room


def room_list(speaker: Speaker, cursor: str | None, limit: int) -> dict[str, Any]:
    """My rooms in the order in which I first entered them."""
    with snapshot():
        rows = Membership.objects.filter(participant_id=speaker.id, left_seq__isnull=True)
        if cursor is not None:
            rows = rows.filter(pk__gt=_cursor(cursor))
        page = list(rows.select_related("room").order_by("id")[: limit + 1])
        shown = page[:limit]
        ids = [row.room_id for row in shown]
        mentions = dict(
            Mention.objects.filter(participant_id=speaker.id, read=False, room_id__in=ids)
            .values_list("room_id")
            .annotate(count=Count("id"))
        )
        people = _others(speaker, [row.room_id for row in shown if row.room.kind == "direct"])
    rooms = [_my_room(row, mentions.get(row.room_id, 0), people) for row in shown]
    return {"rooms": rooms, "more": str(shown[-1].pk) if len(page) > limit else None}


def _others(speaker: Speaker, room_ids: list[int]) -> dict[int, list[ev.Person]]:
    """The other people of direct rooms, present or gone, by room."""
    people: dict[int, list[ev.Person]] = {}
    if room_ids:
        for row in (
            Membership.objects.filter(room_id__in=room_ids)
            .exclude(participant_id=speaker.id)
            .select_related("participant")
            .order_by("id")
        ):
            people.setdefault(row.room_id, []).append(person_of(row.participant))
    return people


def _my_room(row: Membership, mentions: int, people: dict[int, list[ev.Person]]) -> ev.MyRoom:
    room = row.room
    mine = ev.MyRoom(
        **msgspec.structs.asdict(state_of(room)) | {"role": row.role},
        head=room.head,
        read=row.read_seq,
        unread=room.messages - row.read_number,
        mentions=mentions,
        favourite=row.favourite,
    )
    if room.kind == Room.Kind.DIRECT:
        mine.people = people.get(room.pk, [])
    return mine


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
        room = _visible_by_slug(speaker, slug)
        rows = _messages(room)
        if around is not None:
            page, more_before, more_after = _around(rows, around, limit)
        elif after is not None:
            page, more_after = _page(rows.filter(seq__gt=after).order_by("seq"), limit)
            more_before = rows.filter(seq__lte=after).exists()
        else:
            end = before if before is not None else room.head + 1
            page, more_before = _page(rows.filter(seq__lt=end).order_by("-seq"), limit)
            page.reverse()
            more_after = rows.filter(seq__gte=end).exists()
        messages = messages_of(room.pk, page)
    return {
        "messages": messages,
        "head": room.head,
        "more_before": more_before,
        "more_after": more_after,
    }


def _places(
    before: int | None, after: int | None, around: int | None
) -> list[tuple[str, int | None]]:
    return [("before", before), ("after", after), ("around", around)]


def _page(rows: QuerySet[Message], limit: int) -> tuple[list[Message], bool]:
    page = list(rows[: limit + 1])
    return page[:limit], len(page) > limit


def _around(rows: QuerySet[Message], seq: int, limit: int) -> tuple[list[Message], bool, bool]:
    """`seq` and what stands about it; a side that is short leaves its places to the other."""
    later, _ = _page(rows.filter(seq__gte=seq).order_by("seq"), limit + 1)
    earlier, _ = _page(rows.filter(seq__lt=seq).order_by("-seq"), limit)
    want_later = max(limit - limit // 2, limit - len(earlier))
    shown_later = later[:want_later]
    shown_earlier = earlier[: limit - len(shown_later)]
    return (
        shown_earlier[::-1] + shown_later,
        len(earlier) > len(shown_earlier) or _exists_before(rows, shown_earlier),
        len(later) > len(shown_later),
    )


def _exists_before(rows: QuerySet[Message], earlier: list[Message]) -> bool:
    return bool(earlier) and rows.filter(seq__lt=earlier[-1].seq).exists()


def find_people(speaker: Speaker, text: str, limit: int) -> dict[str, Any]:
    """People by name: first those whose name begins with `text`, then those of whom another
    word does, then whoever's name holds it.
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
    found: list[Participant] = []
    for fits in (_begins("name_fold", folded), _word_begins("name_fold", folded), Q()):
        if len(found) < limit:
            others = rows.filter(fits).exclude(pk__in=[row.pk for row in found])
            found += others.order_by("name_fold", "id")[: limit - len(found)]
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


def my_room_ids(participant_id: int) -> list[int]:
    """The rooms that somebody is a member of."""
    return list(
        Membership.objects.filter(participant_id=participant_id, left_seq__isnull=True).values_list(
            "room_id", flat=True
        )
    )


def entry(speaker: Speaker, room_id: int) -> Snapshot:
    """What a subscription without history begins with; `not_found` where he may not read."""
    with snapshot():
        room, membership = _visible(speaker, room_id)
        members = _present(room).count()
    return Snapshot(msgspec.Raw(), room.head, membership.role if membership else None, members)
