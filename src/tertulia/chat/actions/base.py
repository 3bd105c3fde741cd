"""What all actions share, and how several run together in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tertulia.protocol.errors import Code, ProtocolError, invalid

from .. import sql
from ..authority import Administrator
from ..log import LogTransaction
from ..models import Membership, Participant
from ..people import Speaker


class Action:
    """One act of one person. `slug` is the address of the room that it will lock, if any."""

    slug: str | None = None
    # Set for acts of the administration: the account whose permission stands for a role.
    authority: Administrator | None = None

    # Set for what came by a socket: whether it was closed since because its sign-in had ended.
    barred: Callable[[], bool] | None = None

    def __init__(self, speaker: Speaker) -> None:
        self.speaker = speaker

    def prepare(self) -> None:
        """What can be done before the lock is taken, such as rendering."""

    def run(self, log: LogTransaction) -> Any:
        """Check, then do. Returns the result of the command."""
        raise NotImplementedError

    def check_barred(self) -> None:
        """What waited for the writer while its sender was signed out is not done any more."""
        if self.barred is not None and self.barred():
            raise ProtocolError(Code.UNAUTHENTICATED, "You are signed in no longer.")

    def standing(self, log: LogTransaction, room: sql.RoomRow) -> str | None:
        """What the speaker is in the room: for the administration an owner, member or not."""
        if self.authority is not None:
            self.authority.check()
            return Membership.Role.OWNER.value
        return log.role(room.id, self.speaker.id)


def find_participant(public_id: str, field: str = "member") -> Participant:
    """The participant with this id; `invalid` where there is none.

    Visitors are put into no room, so there are none here.
    """
    people = Participant.objects.exclude(kind=Participant.Kind.VISITOR)
    participant = people.filter(public_id=public_id).first()
    if participant is None:
        raise invalid(field, "There is nobody with this id.")
    return participant


Outcome = Any | ProtocolError
