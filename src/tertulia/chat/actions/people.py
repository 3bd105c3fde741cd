"""Letting a guest in."""

from __future__ import annotations

from ..log import LogTransaction
from ..people import Speaker, new_guest, speaker_of
from .base import Action


class AdmitGuest(Action):
    """A new guest; only where guests are admitted."""

    def __init__(self) -> None:
        # Nobody speaks before the guest is there.
        super().__init__(speaker=None)  # type: ignore[arg-type]

    def run(self, log: LogTransaction) -> Speaker:
        return speaker_of(new_guest())
