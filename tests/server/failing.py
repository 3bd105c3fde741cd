"""What a server in this process says of its own failures."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

# uvicorn's does not pass on what it is told.
LOGGERS = ("asyncio", "uvicorn.error")


class _Noting(logging.Handler):
    def __init__(self, level: int, found: list[str]) -> None:
        super().__init__(level)
        self.found = found

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(self.format(record))


@contextmanager
def failures(level: int = logging.ERROR) -> Iterator[list[str]]:
    """Lines of this level and above, as they come; to be begun when the server has started."""
    found: list[str] = []
    handler = _Noting(level, found)
    for name in LOGGERS:
        logging.getLogger(name).addHandler(handler)
    yield found
    for name in LOGGERS:
        logging.getLogger(name).removeHandler(handler)
