"""Something that the process needs is away: said once when it goes and once when it is back."""

from __future__ import annotations

import logging
import threading


class Outage:
    """One thing's failures: all are counted, the first of a row is logged, and the end of it.

    May be told by several threads.
    """

    def __init__(self, logger: logging.Logger, away: str, again: str) -> None:
        self.failures = 0
        self.lasting = False
        self._logger = logger
        self._away = away
        self._again = again
        self._since = 0
        self._lock = threading.Lock()

    def failed(self, error: object) -> None:
        """Once more."""
        with self._lock:
            self.failures += 1
            if self.lasting:
                return
            self.lasting = True
            self._since = self.failures
        self._logger.error("%s: %s", self._away, str(error).strip() or type(error).__name__)

    def over(self) -> None:
        """It has worked; costs nothing while it always does if `lasting` is asked first."""
        with self._lock:
            if not self.lasting:
                return
            self.lasting = False
            count = self.failures - self._since + 1
        self._logger.warning("%s, after %d failures", self._again, count)
