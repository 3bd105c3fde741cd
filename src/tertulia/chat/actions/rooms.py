"""Making rooms and changing them."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from django.db import IntegrityError, transaction
from msgspec import UNSET, UnsetType

from tertulia.protocol import events as ev
from tertulia.protocol.errors import forbidden, invalid, not_found

from .. import sql
from ..access import (
    MODERATORS,
    OWNERS,
    check_member,
    check_moves,
    check_open,
    check_role,
    check_see,
    find_room,
    may_see,
)
from ..conf import conf
from ..encode import state_of, timestamp
from ..log import LogTransaction
from ..models import Membership, Participant, Room, RoomKey
from ..people import Speaker
from ..slugs import check_slug, fold, random_slug, slug_from_name, with_suffix
from .base import Action
from .members import MEMBER, enter, left_himself

OWNER = Membership.Role.OWNER.value


def free_slug(name: str) -> str:
    """A public room's address: made from its name, with a suffix when taken."""
    base = slug_from_name(name)
    suffixes = [str(number) for number in range(2, 10)]
    for slug in [base, *(with_suffix(base, suffix) for suffix in suffixes)]:
        if not Room.objects.filter(slug_fold=fold(slug)).exists():
            return slug
    # A name that very many rooms have: counting on would take a query for each of them.
    return with_suffix(base, random_slug()[:6])


def insert_room(**fields: Any) -> Room:
    """A new row; `IntegrityError` (someone was faster) leaves the transaction usable."""
    with transaction.atomic():
        return Room.objects.create(slug_fold=fold(fields["slug"]), **fields)


class CreateRoom(Action):
    """Make a room. The same key gives the same room; the same people the same direct room."""

    def __init__(
        self,
        speaker: Speaker,
        key: uuid.UUID,
        name: str,
        kind: str,
        members: list[str],
    ) -> None:
        super().__init__(speaker)
        self.key = key
        self.name = name.strip()
        self.kind = kind
        self.members = members

    def prepare(self) -> None:
        """A direct room that is there already is locked like any other room."""
        if self.kind == Room.Kind.DIRECT:
            present = Room.objects.filter(people_key=self._people_key())
            self.slug = present.values_list("slug", flat=True).first()

    def _people_key(self) -> str:
        ids = sorted({self.speaker.person.id, *self.members})
        return hashlib.sha256("\n".join(ids).encode()).hexdigest()

    def run(self, log: LogTransaction) -> dict[str, Any]:
        keys = RoomKey.objects.filter(participant_id=self.speaker.id, key=self.key)
        before = keys.select_related("room").first()
        if before is not None:
            return self._result(log, before.room)
        others = self._others()
        room = self._direct(others) if self.kind == Room.Kind.DIRECT else self._named()
        log.lock({room.pk})
        row = log.rooms[room.pk]
        me = Participant.objects.get(pk=self.speaker.id)
        if row.head:
            self._come_back(log, row, me, others)
        else:
            enter(log, row, me, self.speaker, OWNER)
            for participant in others:
                enter(log, row, participant, self.speaker, MEMBER)
        # What was refused above is refused to a retry, too.
        RoomKey.objects.create(participant_id=self.speaker.id, key=self.key, room=room)
        log.flush()
        room.messages = row.messages
        return self._result(log, room)

    def _come_back(
        self, log: LogTransaction, row: sql.RoomRow, me: Participant, others: list[Participant]
    ) -> None:
        """To a direct room that is there already. Who left it may come back, whom somebody has put
        out may not; and of two, the other is there again, since he is who is written to."""
        if log.role(row.id, me.pk) is None:
            check_open(row, "come back")
            left = log.member_row(row.id, me.pk)
            if left is not None and not left_himself(row, left):
                raise forbidden("Somebody has removed you from the room of these people.")
            enter(log, row, me, self.speaker, MEMBER)
        alone = len(others) == 1 and log.role(row.id, others[0].pk) is None
        if alone and not row.archived:
            enter(log, row, others[0], self.speaker, MEMBER)

    def _others(self) -> list[Participant]:
        ids = {member for member in self.members if member != self.speaker.person.id}
        people = Participant.objects.exclude(kind=Participant.Kind.VISITOR)
        found = list(people.filter(public_id__in=ids).order_by("pk"))
        if len(found) != len(ids):
            raise invalid("members", "There is nobody with one of these ids.")
        return found

    def _named(self) -> Room:
        if not self.name:
            raise invalid("name", "The room needs a name.")
        public = self.kind == Room.Kind.PUBLIC
        while True:
            slug = free_slug(self.name) if public else random_slug()
            try:
                return self._insert(slug=slug, name=self.name)
            except IntegrityError:
                continue  # the address was taken a moment ago: the next one

    def _direct(self, others: list[Participant]) -> Room:
        if not others:
            raise invalid("members", "Name somebody to write to.")
        people_key = self._people_key()
        present = Room.objects.filter(people_key=people_key).first()
        if present is not None:
            return present
        try:
            return self._insert(slug=random_slug(), name=self.name, people_key=people_key)
        except IntegrityError:
            return Room.objects.get(people_key=people_key)

    def _insert(self, **fields: Any) -> Room:
        return insert_room(kind=self.kind, **fields)

    def _result(self, log: LogTransaction, room: Room) -> dict[str, Any]:
        state = state_of(room)
        state.role = log.role(room.pk, self.speaker.id)
        if not may_see(room, state.role):
            # Made by him, and closed to him since: as it was made, and nothing of what it is now.
            state.name, state.topic, state.archived, state.messages = self.name, "", False, 0
        return {"room": room.slug, "state": state}


class VisitRoom(Action):
    """With `--open`, a public room comes into being when it is first visited. It has no owner."""

    def __init__(self, speaker: Speaker, slug: str) -> None:
        super().__init__(speaker)
        self.address = slug

    def run(self, log: LogTransaction) -> int:
        return visit(self.address).pk


def visit(address: str) -> Room:
    """The room at an address; made where rooms come into being by being visited."""
    room = find_room(address)
    if room is None and not conf.open:
        raise not_found()
    return room or found_room(address)


def found_room(
    address: str,
    *,
    name: str = "",
    kind: str = Room.Kind.PUBLIC,
) -> Room:
    """The room at an address, made where it is missing: for visits, and for a host's code."""
    room = find_room(address)
    if room is not None:
        return room
    try:
        slug = check_slug(address)
    except ValueError as error:
        raise invalid("room", str(error)) from None
    try:
        return insert_room(slug=slug, name=name or slug, kind=kind)
    except IntegrityError:
        return Room.objects.get(slug_fold=fold(slug))


class UpdateRoom(Action):
    """Name and topic are for moderators, the archive for owners."""

    def __init__(
        self,
        speaker: Speaker,
        slug: str,
        *,
        name: str | UnsetType = UNSET,
        topic: str | UnsetType = UNSET,
        archived: bool | UnsetType = UNSET,
    ) -> None:
        super().__init__(speaker)
        self.slug = slug
        wanted = {"name": name, "topic": topic, "archived": archived}
        self.wanted = {
            field: value.strip() if isinstance(value, str) else value
            for field, value in wanted.items()
            if value is not UNSET
        }

    def run(self, log: LogTransaction) -> dict[str, Any]:
        room = log.room(self.slug or "")
        self._check(log, room)
        changes = {
            field: value for field, value in self.wanted.items() if getattr(room, field) != value
        }
        if not changes:
            return {"event": self._made_by(room)}
        seq = log.next_seq(room)
        for field, value in changes.items():
            setattr(room, field, value)
        seqs = {f"{field}_seq": seq for field in changes}
        Room.objects.filter(pk=room.id).update(**changes, **seqs)
        event = ev.RoomUpdated(
            room=room.slug,
            seq=seq,
            at=timestamp(log.at),
            actor=self.speaker.person,
            state=state_of(room),
        )
        log.append(room, event, self.speaker, data=changes)
        log.flush()
        return {"event": seq}

    def _made_by(self, room: sql.RoomRow) -> int:
        """The last of the events that made it what is wanted: where there is none, its first."""
        fields = [f"{field}_seq" for field in self.wanted]
        seqs = Room.objects.filter(pk=room.id).values_list(*fields).get()
        return max(seqs) or min(1, room.head)

    def _check(self, log: LogTransaction, room: sql.RoomRow) -> None:
        role = self.standing(log, room)
        check_see(room, role)
        if not self.wanted:
            raise invalid("name", "Say what to change: name, topic or archived.")
        if "archived" in self.wanted:
            check_role(room, role, OWNERS, "archive it or bring it back")
        check_role(room, role, MODERATORS, "change its name or topic")
        check_moves(room, "change name, topic or archive")
        if self.wanted.get("name") == "" and room.kind != Room.Kind.DIRECT:
            raise invalid("name", "The room needs a name.")


class SetFavourite(Action):
    """Keep a room at the top of one's own list. It appends nothing, but waits for the room like
    all that is written: a host's open transaction may hold the membership.
    """

    def __init__(self, speaker: Speaker, slug: str, *, favourite: bool) -> None:
        super().__init__(speaker)
        self.slug = slug
        self.favourite = favourite

    def run(self, log: LogTransaction) -> str | None:
        """The room's slug if this changed anything."""
        room = log.room(self.slug or "")
        check_member(room, log.role(room.id, self.speaker.id), "make it a favourite")
        check_moves(room, "have favourites")
        changed = (
            Membership.objects.filter(room_id=room.id, participant_id=self.speaker.id)
            .exclude(favourite=self.favourite)
            .update(favourite=self.favourite)
        )
        return room.slug if changed else None
