"""Marking a room read up to a seq."""

from __future__ import annotations

from tertulia.protocol.errors import forbidden, invalid
from tertulia.protocol.events import Person

from .. import kinds
from ..access import NOWHERE, check_see, find_room, role_at
from ..log import LogTransaction
from ..models import Membership, Mention, Message, Room
from ..people import Speaker
from .base import Action


class Marked:
    """What a mark came to: the seq that is read now, and whether this changed it."""

    __slots__ = ("changed", "direct", "read", "reader", "room_id", "slug")

    def __init__(
        self,
        *,
        changed: bool,
        read: int,
        room_id: int,
        slug: str,
        direct: bool,
        reader: Person | None,
    ) -> None:
        self.changed = changed
        self.read = read
        self.room_id = room_id
        self.slug = slug
        self.direct = direct
        # Where an app's rules hold, everybody in the room sees that somebody has read: this one.
        self.reader = reader


class MarkRead(Action):
    """Monotonic. It appends nothing, but takes the room's lock like everything that is written:
    a host's open transaction that has posted holds its author's membership as well, and nobody
    but that room may wait for it.
    """

    def __init__(self, speaker: Speaker, slug: str, seq: int) -> None:
        super().__init__(speaker)
        self.slug = slug
        self.seq = seq

    def run(self, log: LogTransaction) -> Marked:
        room = find_room(self.slug or "")
        rules = kinds.rules_of(room.kind) if room else None
        if room is not None and rules is not None:
            return self._by_rules(room, rules)
        membership = self._membership(room)
        check_see(room, membership.role if membership else None, self.speaker)
        assert room is not None
        if membership is None:
            raise forbidden("Only members of the room mark it read.")
        return self._mark(room, membership)

    def _membership(self, room: Room | None) -> Membership | None:
        """Asked also where no room is: the work must not tell that from a hidden one."""
        return Membership.objects.filter(
            room_id=room.pk if room else NOWHERE,
            participant_id=self.speaker.id,
            left_seq__isnull=True,
        ).first()

    def _by_rules(self, room: Room, rules: kinds.Rules) -> Marked:
        check_see(room, role_at(room, self.speaker.id), self.speaker)
        membership = self._membership(room)
        if membership is not None:
            return self._mark(room, membership, self.speaker.person)
        self._check_seq(room)
        changed = rules.marked(room.pk, self.seq)
        if changed is None:
            raise forbidden("Only members of the room mark it read.")
        reader = rules.reader(room.pk) if changed else None
        return self._marked(room, self.seq, changed=changed, reader=reader)

    def _check_seq(self, room: Room) -> None:
        if self.seq > room.head:
            raise invalid("seq", f"The room's log ends at {room.head}.")

    def _mark(self, room: Room, membership: Membership, reader: Person | None = None) -> Marked:
        self._check_seq(room)
        changed = self.seq > membership.read_seq
        if changed:
            self._write(room, membership)
        read = max(self.seq, membership.read_seq)
        return self._marked(room, read, changed=changed, reader=reader)

    def _marked(self, room: Room, read: int, *, changed: bool, reader: Person | None) -> Marked:
        return Marked(
            changed=changed,
            read=read,
            room_id=room.pk,
            slug=room.slug,
            direct=room.kind == Room.Kind.DIRECT,
            reader=reader,
        )

    def _write(self, room: Room, membership: Membership) -> None:
        number = (
            Message.objects.filter(room=room, seq__lte=self.seq)
            .order_by("-seq")
            .values_list("number", flat=True)
            .first()
        )
        Membership.objects.filter(pk=membership.pk, read_seq__lt=self.seq).update(
            read_seq=self.seq, read_number=number or 0
        )
        Mention.objects.filter(
            room=room, participant_id=self.speaker.id, read=False, seq__lte=self.seq
        ).update(read=True)
