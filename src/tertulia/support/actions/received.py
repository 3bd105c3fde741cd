"""That what a visitor says has come to an agent's client."""

from __future__ import annotations

from tertulia.chat.log import LogTransaction
from tertulia.chat.people import Speaker
from tertulia.protocol.errors import invalid

from .. import changes
from .base import OnConversation


class MarkReceived(OnConversation):
    """Monotonic; it appends nothing. Of several agents' clients the first one counts."""

    def __init__(self, speaker: Speaker, slug: str, seq: int) -> None:
        super().__init__(speaker, slug)
        self.seq = seq

    def run(self, log: LogTransaction) -> int | None:  # type: ignore[override]
        """The room's primary key if this has changed something."""
        room, conversation = self.of_mine(log)
        if self.seq > room.head:
            raise invalid("seq", f"The room's log ends at {room.head}.")
        if self.seq <= max(conversation.delivered_seq, conversation.read_seq):
            return None
        changes.write(conversation, delivered_seq=self.seq)
        return room.id
