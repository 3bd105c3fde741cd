"""Mails are handed over behind the answer, by one thread of the process.

A mail server that hangs keeps nobody waiting: no page, no socket, no writer. What waits when the
process is told to stop has `GRACE` seconds, and is lost then.
"""

from __future__ import annotations

import atexit
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.smtp import EmailBackend as Smtp
from django.db import connections

from .faults import Fault, NothingSent, described, fault_of

logger = logging.getLogger("tertulia.chat")

Result = TypeVar("Result")
# Mails that may wait for a mail server that is slow; more are refused.
WAITING = 200
# For a mail server that says nothing, where the project has set no EMAIL_TIMEOUT.
SECONDS = 10
GRACE = 4.0


class TooManyWait(Exception):
    """The mail server is slower than people ask for mails."""


class Count(NamedTuple):
    """Of this process, since its start."""

    sent: int = 0
    failed: int = 0
    waiting: int = 0
    # What the last failure was, without any address; blank: there was none.
    last: str = ""


class _Sender:
    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[tuple[int, Callable[[], Any], Future[Any]]]
        self._jobs = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.count = Count()

    def submit(self, mails: int, job: Callable[[], Result]) -> Future[Result]:
        with self._lock:
            if self.count.waiting + mails > WAITING:
                logger.error("Too many mails wait for the mail server: %d were not sent", mails)
                raise TooManyWait
            self.count = self.count._replace(waiting=self.count.waiting + mails)
            if self._thread is None:
                # It may hang in a mail server: no process waits for it for ever.
                self._thread = threading.Thread(target=self._run, name="tertulia-mail", daemon=True)
                self._thread.start()
                atexit.register(self._finish)
        future: Future[Result] = Future()
        self._jobs.put((mails, job, future))
        return future

    def _run(self) -> None:
        while True:
            mails, job, future = self._jobs.get()
            try:
                future.set_result(job())
            except BaseException as error:
                logger.exception("Mails could not be written")
                future.set_exception(error)
            finally:
                with suppress(Exception):
                    connections.close_all()
                with self._lock:
                    self.count = self.count._replace(waiting=self.count.waiting - mails)

    def _finish(self) -> None:
        deadline = time.monotonic() + GRACE
        while self.count.waiting and time.monotonic() < deadline:
            time.sleep(0.05)

    def tally(self, error: Exception | None) -> None:
        with self._lock:
            sent, failed, waiting, last = self.count
            if error is None:
                self.count = Count(sent + 1, failed, waiting, last)
            else:
                self.count = Count(sent, failed + 1, waiting, described(error))


_sender = _Sender()


def behind(mails: int, job: Callable[[], Result]) -> Future[Result]:
    """Run `job`, which sends so many mails, when its turn comes. Raises TooManyWait."""
    return _sender.submit(mails, job)


def count() -> Count:
    """How mails of this process fared."""
    return _sender.count


def deliver(messages: Sequence[EmailMessage], what: str) -> list[Fault | None]:
    """Hand these over, one by one; what became of each. Blocks: for jobs of `behind`.

    A server that is away is asked once for all of them. `what` is for the log, which gets no
    address but its domain.
    """
    faults: list[Fault | None] = []
    way = _Way()
    for number, message in enumerate(messages):
        try:
            way.send(message)
        except Exception as error:  # noqa: BLE001  (backends raise what they like)
            fault = fault_of(error) if way.open else Fault.SERVER
            domain = message.to[0].rpartition("@")[2] if message.to else ""
            rest = len(messages) - number if fault is Fault.SERVER else 1
            text = "A mail (%s) to somebody at %s was not sent, %d in all: %s"
            logger.warning(text, what, domain, rest, described(error))
            for _ in range(rest):
                _sender.tally(error)
            faults += [fault] * rest
            if fault is Fault.SERVER:
                break
        else:
            _sender.tally(None)
            faults.append(None)
    way.close()
    return faults


class _Way:
    """The project's backend. A connection to a mail server is kept for all mails of a batch."""

    def __init__(self) -> None:
        self._smtp: Smtp | None = None
        # Whether what goes wrong is about a mail; before it is, all mails meet the same.
        self.open = True

    def send(self, message: EmailMessage) -> None:
        backend: Any = self._smtp or get_connection()
        if isinstance(backend, Smtp) and self._smtp is None:
            if backend.timeout is None:
                backend.timeout = SECONDS
            self._smtp = backend
            self.open = False
            backend.open()
            self.open = True
        if backend.send_messages([message]) == 0:
            raise NothingSent

    def close(self) -> None:
        if self._smtp is not None:
            # Whatever goes wrong now, the mails are on their way.
            with suppress(Exception):
                self._smtp.close()
