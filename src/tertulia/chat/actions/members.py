"""Joining, leaving, adding, removing, roles."""

from __future__ import annotations

from typing import Any

from tertulia.protocol import events as ev
from tertulia.protocol.errors import conflict, forbidden, not_found

from .. import sql
from ..access import (
    MODERATORS,
    OWNERS,
    check_member,
    check_moves,
    check_open,
    check_role,
    check_see,
)
from ..encode import timestamp
from ..log import LogTransaction
from ..models import Event, Membership, Participant, Room
from ..people import Speaker, person_of
from .base import Action, find_participant

MEMBER = Membership.Role.MEMBER.value


def enter(
    log: LogTransaction,
    room: sql.RoomRow,
    participant: Participant,
    actor: Speaker,
    role: str = MEMBER,
) -> int:
    """Append `member.joined` and write the membership. The caller has checked."""
    seq = log.next_seq(room)
    person = person_of(participant)
    event = ev.MemberJoined(
        room=room.slug, seq=seq, at=timestamp(log.at), actor=actor.person, member=person, role=role
    )
    log.append(room, event, actor, subject=participant.pk, data={"role": role})
    log.set_member(room, participant, role=role, joined_seq=seq)
    return seq


def join(log: LogTransaction, room: sql.RoomRow, speaker: Speaker) -> int:
    """The speaker becomes a member by himself."""
    return enter(log, room, Participant.objects.get(pk=speaker.id), speaker)


def leave(log: LogTransaction, room: sql.RoomRow, participant: Participant, actor: Speaker) -> int:
    """Append `member.left`; in a room that is not public nothing later may reach him."""
    seq = log.next_seq(room)
    event = ev.MemberLeft(
        room=room.slug,
        seq=seq,
        at=timestamp(log.at),
        actor=actor.person,
        member=person_of(participant),
        role=None,
    )
    ends = room.kind != Room.Kind.PUBLIC
    log.append(room, event, actor, subject=participant.pk, ends=ends)
    log.set_member(room, participant, role=MEMBER, left_seq=seq)
    return seq


def membership_of(room: sql.RoomRow, participant_id: int) -> Membership | None:
    """The whole membership row of somebody present or past."""
    return Membership.objects.filter(room_id=room.id, participant_id=participant_id).first()


def left_himself(room: sql.RoomRow, row: sql.MemberRow) -> bool:
    """Whether a former member went by himself: whose reply was lost may ask again, and who was put
    out of a hidden room sees none."""
    return Event.objects.filter(
        room_id=room.id, seq=row.left_seq or 0, actor_id=row.participant_id
    ).exists()


class JoinRoom(Action):
    """Become a member of a public room."""

    def __init__(self, speaker: Speaker, slug: str) -> None:
        super().__init__(speaker)
        self.slug = slug

    def run(self, log: LogTransaction) -> dict[str, Any]:
        room = log.room(self.slug or "")
        role = log.role(room.id, self.speaker.id)
        check_see(room, role)
        check_moves(room, "become a member")
        if role is not None:
            membership = membership_of(room, self.speaker.id)
            return {"event": membership.joined_seq if membership else room.head}
        check_open(room, "become a member")
        seq = join(log, room, self.speaker)
        log.flush()
        return {"event": seq}


class LeaveRoom(Action):
    """Be a member no longer."""

    def __init__(self, speaker: Speaker, slug: str) -> None:
        super().__init__(speaker)
        self.slug = slug

    def run(self, log: LogTransaction) -> dict[str, Any]:
        room = log.room(self.slug or "")
        row = log.member_row(room.id, self.speaker.id)
        if row is not None and row.left_seq is not None and left_himself(room, row):
            return {"event": row.left_seq}
        check_see(room, log.role(room.id, self.speaker.id))
        check_moves(room, "leave")
        if row is None:
            raise conflict("You are not a member of this room.")
        if row.left_seq is not None:
            return {"event": row.left_seq}
        seq = leave(log, room, Participant.objects.get(pk=self.speaker.id), self.speaker)
        log.flush()
        return {"event": seq}


class AddMember(Action):
    """Make somebody a member; another role than `member` is for owners to give."""

    def __init__(self, speaker: Speaker, slug: str, member: str, role: str = MEMBER) -> None:
        super().__init__(speaker)
        self.slug = slug
        self.member = member
        self.role = role

    def run(self, log: LogTransaction) -> dict[str, Any]:
        room = log.room(self.slug or "")
        role = self.standing(log, room)
        check_member(room, role, "add a member")
        check_moves(room, "be added")
        if room.kind == Room.Kind.DIRECT:
            raise forbidden(
                "Nobody can be added to a direct room; make a new one with more people."
            )
        if self.role != MEMBER:
            check_role(room, role, OWNERS, "give this role")
        participant = find_participant(self.member)
        if log.role(room.id, participant.pk) is not None:
            membership = membership_of(room, participant.pk)
            return {"event": membership.joined_seq if membership else room.head}
        check_open(room, "add a member")
        seq = enter(log, room, participant, self.speaker, self.role)
        log.flush()
        return {"event": seq}


class RemoveMember(Action):
    """Put somebody out. Moderators cannot put out owners."""

    def __init__(self, speaker: Speaker, slug: str, member: str) -> None:
        super().__init__(speaker)
        self.slug = slug
        self.member = member

    def run(self, log: LogTransaction) -> dict[str, Any]:
        room = log.room(self.slug or "")
        role = self.standing(log, room)
        check_role(room, role, MODERATORS, "remove a member")
        check_moves(room, "be removed")
        participant = find_participant(self.member)
        row = log.member_row(room.id, participant.pk)
        if row is None:
            raise conflict("This person never was a member of the room.")
        if row.left_seq is not None:
            return {"event": row.left_seq}
        if row.role in OWNERS and role not in OWNERS:
            raise forbidden("Only an owner may remove an owner.")
        seq = leave(log, room, participant, self.speaker)
        log.flush()
        return {"event": seq}


class ChangeRole(Action):
    """Give a member another role; the last owner remains one."""

    def __init__(self, speaker: Speaker, slug: str, member: str, role: str) -> None:
        super().__init__(speaker)
        self.slug = slug
        self.member = member
        self.role = role

    def run(self, log: LogTransaction) -> dict[str, Any]:
        room = log.room(self.slug or "")
        check_role(room, self.standing(log, room), OWNERS, "change roles")
        check_moves(room, "get another role")
        participant = find_participant(self.member)
        membership = membership_of(room, participant.pk)
        if membership is None or membership.left_seq is not None:
            raise not_found("This person is not a member of the room.")
        if membership.role == self.role:
            return {"event": membership.role_seq}
        self._check_last_owner(room, membership)
        seq = log.next_seq(room)
        event = ev.MemberChanged(
            room=room.slug,
            seq=seq,
            at=timestamp(log.at),
            actor=self.speaker.person,
            member=person_of(participant),
            role=self.role,
        )
        log.append(room, event, self.speaker, subject=participant.pk, data={"role": self.role})
        log.set_member(room, participant, role=self.role, role_seq=seq)
        log.flush()
        return {"event": seq}

    def _check_last_owner(self, room: sql.RoomRow, membership: Membership) -> None:
        if membership.role not in OWNERS:
            return
        owners = Membership.objects.filter(room_id=room.id, role__in=OWNERS, left_seq__isnull=True)
        if owners.count() == 1:
            raise conflict("The room needs an owner: make somebody else one first.")
