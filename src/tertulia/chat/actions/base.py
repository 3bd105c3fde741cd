"""What all actions share, and how several run together in one transaction."""

from __future__ import annotations

from typing import Any

from tertulia.protocol.errors import ProtocolError, invalid

from ..log import LogTransaction
from ..models import Participant
from ..people import Speaker


class Action:
    """One act of one person. `slug` is the address of the room that it will lock, if any."""

    slug: str | None = None

    def __init__(self, speaker: Speaker) -> None:
        self.speaker = speaker

    def prepare(self) -> None:
        """What can be done before the lock is taken, such as rendering."""

    def run(self, log: LogTransaction) -> Any:
        """Check, then do. Returns the result of the command."""
        raise NotImplementedError


def find_participant(public_id: str, field: str = "member") -> Participant:
    """The participant with this id; `invalid` where there is none."""
    participant = Participant.objects.filter(public_id=public_id).first()
    if participant is None:
        raise invalid(field, "There is nobody with this id.")
    return participant


Outcome = Any | ProtocolError
