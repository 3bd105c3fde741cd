"""Inviting people by a link: making it, taking it back, and becoming a member by it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from django.db.models import F
from django.db.models.functions import Lower

from tertulia.protocol.errors import Code, ProtocolError, conflict, forbidden, not_found

from ..access import MODERATORS, check_member, check_open, role_in
from ..conf import conf
from ..log import LogTransaction
from ..mailing.models import Delivery, forget_addresses
from ..models import Event, Membership, Participant, Room, RoomInvitation
from ..people import Speaker, digest_of, has_account
from ..sql import RoomRow
from .base import Action
from .members import join

# Kinds of rooms that a link can lead into: a direct room keeps its people.
INVITING = frozenset({Room.Kind.PUBLIC.value, Room.Kind.PRIVATE.value})
# Links of one person into one room that are good at the same time.
LINKS = 50
# Mails of one person in a day, into all rooms; and to one address, from anybody.
MAILS_A_DAY = 100
MAILS_TO_ONE = 3
DAY = timedelta(days=1)


class Why(StrEnum):
    """Why a link does not admit."""

    UNKNOWN = "unknown"
    SPENT = "spent"
    USED = "used"
    REMOVED = "removed"
    ARCHIVED = "archived"


_REFUSALS = {
    Why.UNKNOWN: (Code.NOT_FOUND, "There is no such invitation."),
    Why.SPENT: (Code.CONFLICT, "The invitation has expired or was taken back."),
    Why.USED: (Code.CONFLICT, "The invitation admits one person, and was used."),
    Why.REMOVED: (Code.FORBIDDEN, "You were removed from the room after this link was made."),
    Why.ARCHIVED: (Code.FORBIDDEN, "The room is archived: nobody can become a member of it."),
}


class NotAdmitted(ProtocolError):
    """A link does not admit; `why` chooses the sentence of the page."""

    def __init__(self, why: Why) -> None:
        code, detail = _REFUSALS[why]
        super().__init__(code, detail)
        self.why = why


class Admission(NamedTuple):
    """The room that a link leads to, and whether it made somebody a member just now."""

    slug: str
    entered: bool


def check_admits(invitation: RoomInvitation, participant_id: int, at: datetime) -> None:
    """Raises `NotAdmitted`. Exact under the room's lock, without it a forecast for the page."""
    room = invitation.room
    if invitation.revoked_at is not None or invitation.expires_at <= at:
        raise NotAdmitted(Why.SPENT)
    # A link that was mailed is for whoever reads that mail, and not for a crowd.
    if invitation.address and invitation.uses:
        raise NotAdmitted(Why.USED)
    # A host may have made another kind of room of it.
    if room.kind not in INVITING:
        raise NotAdmitted(Why.SPENT)
    # Whoever is out of the room, or of the site, lets nobody in.
    inviter = invitation.created_by
    if role_in(room.pk, inviter.pk) is None or not has_account(inviter):
        raise NotAdmitted(Why.SPENT)
    if _removed_since(invitation, participant_id):
        raise NotAdmitted(Why.REMOVED)
    if room.archived:
        raise NotAdmitted(Why.ARCHIVED)


def _removed_since(invitation: RoomInvitation, participant_id: int) -> bool:
    """Whether somebody else put him out when the link was there already."""
    left = (
        Membership.objects.filter(
            room_id=invitation.room_id,
            participant_id=participant_id,
            left_seq__gt=invitation.head,
        )
        .values_list("left_seq", flat=True)
        .first()
    )
    removal = Event.objects.filter(room_id=invitation.room_id, seq=left or 0)
    return removal.exclude(actor_id=participant_id).exists()


class MakeInvitation(Action):
    """Let whoever has the link that belongs to `digest` in, for so long."""

    def __init__(self, speaker: Speaker, slug: str, digest: str, life: timedelta) -> None:
        super().__init__(speaker)
        self.slug = slug
        self.digest = digest
        self.life = life

    def run(self, log: LogTransaction) -> RoomInvitation:
        room = _inviting_room(log, self.slug or "", self.speaker)
        mine = RoomInvitation.objects.filter(
            room_id=room.id, created_by_id=self.speaker.id, address=""
        )
        if mine.filter(revoked_at=None, expires_at__gt=log.at).count() >= LINKS:
            raise conflict(f"You have {LINKS} links into this room: take one back first.")
        return RoomInvitation.objects.create(
            room_id=room.id,
            created_by_id=self.speaker.id,
            digest=self.digest,
            created_at=log.at,
            expires_at=log.at + self.life,
            head=room.head,
        )


def _inviting_room(log: LogTransaction, slug: str, speaker: Speaker) -> RoomRow:
    """The room, locked; raises where this person may invite nobody into it by a link."""
    room = log.room(slug)
    check_member(room, log.role(room.id, speaker.id), "invite people")
    if room.kind not in INVITING:
        raise forbidden("Nobody can be invited to this room by a link.")
    check_open(room, "invite people")
    return room


class Addressee(NamedTuple):
    """A mail address, and the hash of the token that only its mail holds."""

    address: str
    digest: str


class MailInvitations(Action):
    """A link for each address, which admits one person. Only people with accounts send mails."""

    def __init__(
        self, speaker: Speaker, slug: str, addressees: list[Addressee], life: timedelta
    ) -> None:
        super().__init__(speaker)
        self.slug = slug
        self.addressees = addressees
        self.life = life

    def run(self, log: LogTransaction) -> list[RoomInvitation]:
        """A row for each addressee but for those who were written to often enough today."""
        room = _inviting_room(log, self.slug or "", self.speaker)
        if self.speaker.person.kind != Participant.Kind.MEMBER:
            raise forbidden("Only people with an account here invite by mail.")
        forget_addresses(RoomInvitation)
        often = self._check_day(log)
        rows = [
            RoomInvitation(
                room_id=room.id,
                created_by_id=self.speaker.id,
                digest=addressee.digest,
                created_at=log.at,
                expires_at=log.at + self.life,
                head=room.head,
                address=addressee.address,
                delivery=Delivery.WAITING,
            )
            for addressee in self.addressees
            if addressee.address.lower() not in often
        ]
        return RoomInvitation.objects.bulk_create(rows)

    def _check_day(self, log: LogTransaction) -> set[str]:
        """The addresses, in small letters, that get no further mail today.

        In the database, so that it holds for all processes, and for several accounts together.
        """
        if not conf.limits:
            return set()
        today = RoomInvitation.objects.filter(created_at__gt=log.at - DAY).exclude(address="")
        mine = today.filter(created_by_id=self.speaker.id).count()
        if mine + len(self.addressees) > MAILS_A_DAY:
            raise ProtocolError(
                Code.RATE_LIMITED,
                f"You may invite {MAILS_A_DAY} people a day by mail.",
                retry_after=DAY.total_seconds() / 24,
            )
        folded = [addressee.address.lower() for addressee in self.addressees]
        found = Counter(
            today.annotate(folded=Lower("address"))
            .filter(folded__in=folded)
            .values_list("folded", flat=True)
        )
        return {address for address, count in found.items() if count >= MAILS_TO_ONE}


class RevokeInvitation(Action):
    """Take a link back: one's own; moderators and owners anybody's."""

    def __init__(self, speaker: Speaker, slug: str, key: int) -> None:
        super().__init__(speaker)
        self.slug = slug
        self.key = key

    def run(self, log: LogTransaction) -> None:
        room = log.room(self.slug or "")
        role = self.standing(log, room)
        check_member(room, role, "take an invitation back")
        invitation = RoomInvitation.objects.filter(room_id=room.id, pk=self.key).first()
        if invitation is None:
            raise not_found("There is no such invitation.")
        if invitation.created_by_id != self.speaker.id and role not in MODERATORS:
            raise forbidden("Only who made it, a moderator or an owner may take it back.")
        RoomInvitation.objects.filter(pk=invitation.pk, revoked_at=None).update(revoked_at=log.at)


class AcceptInvitation(Action):
    """Become a member by a link. Whoever is one already stays as he is."""

    def __init__(self, speaker: Speaker, token: str) -> None:
        super().__init__(speaker)
        self.digest = digest_of(token)

    def run(self, log: LogTransaction) -> Admission:
        invitations = RoomInvitation.objects.select_related("room", "created_by__user").filter(
            digest=self.digest
        )
        found = invitations.first()
        if found is None:
            raise NotAdmitted(Why.UNKNOWN)
        room = log.room(found.room.slug)
        if log.role(room.id, self.speaker.id) is not None:
            return Admission(room.slug, entered=False)
        # Again, now that nobody can change it or the room.
        invitation = invitations.select_for_update(of=("self",)).first()
        if invitation is None:
            raise NotAdmitted(Why.UNKNOWN)
        check_admits(invitation, self.speaker.id, log.at)
        join(log, room, self.speaker)
        log.flush()
        RoomInvitation.objects.filter(pk=invitation.pk).update(uses=F("uses") + 1)
        return Admission(room.slug, entered=True)
