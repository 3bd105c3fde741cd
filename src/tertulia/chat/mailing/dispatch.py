"""The mails of one request: sent behind it, and told of to who asked, as far as it is known."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from django.core.mail import EmailMessage
from django.db import DatabaseError
from django.http import HttpResponse
from django.utils import timezone

from .faults import Fault
from .models import Delivery, MailedLink
from .sender import TooManyWait, behind, deliver

logger = logging.getLogger("tertulia.chat")

# Seconds that somebody waits to be told; a mail server mostly needs one.
PATIENCE = 6.0


class Dispatch:
    """Some links and their mails; `failed` begins with what was not even tried."""

    def __init__(self, failed: Sequence[tuple[str, Fault]] = ()) -> None:
        self.sent: list[str] = []
        self.waiting: list[str] = []
        self.failed = list(failed)
        self._links: Sequence[MailedLink] = ()
        self._future: Future[list[Fault | None]] | None = None

    def begin(self, links: Sequence[MailedLink], mails: Sequence[EmailMessage]) -> None:
        """Hand over one mail a link. `links` are kept rows whose delivery waits."""
        if not links:
            return
        self._links = links
        try:
            self._future = behind(len(links), lambda: _carry(links, mails))
        except TooManyWait:
            _keep(links, [Fault.BUSY] * len(links))
            self._future = Future()
            self._future.set_result([Fault.BUSY] * len(links))

    async def settled(self) -> None:
        """When all mails are handed over, or patience has ended. Holds no thread."""
        if self._future is not None:
            with suppress(Exception):
                # What went wrong is logged where it did; `told` looks again.
                await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(self._future)), PATIENCE)

    def told(self) -> None:
        """Sort the addresses. A link that did not go out is taken back: who asked is told now."""
        if self._future is None:
            return
        if not self._future.done():
            self.waiting = [link.address for link in self._links]
            return
        if self._future.exception() is not None:
            faults: list[Fault | None] = [Fault.SERVER] * len(self._links)
        else:
            faults = self._future.result()
        lost = []
        for link, fault in zip(self._links, faults, strict=True):
            if fault is None:
                self.sent.append(link.address)
            else:
                self.failed.append((link.address, fault))
                lost.append(link.pk)
        if lost:
            links: Any = type(self._links[0])._default_manager
            links.filter(pk__in=lost).update(revoked_at=timezone.now())


class Begun(HttpResponse):
    """What a synchronous half of a view answers to the other: nothing is to be sent yet."""

    def __init__(self, dispatch: Dispatch) -> None:
        super().__init__()
        self.dispatch = dispatch


def _carry(links: Sequence[MailedLink], mails: Sequence[EmailMessage]) -> list[Fault | None]:
    faults = deliver(mails, "invitation")
    try:
        _keep(links, faults)
    except DatabaseError as error:
        # The mails are out all the same, and who asked is told so.
        logger.error("What became of mails could not be kept: %s", str(error).strip())
    return faults


def _keep(links: Sequence[MailedLink], faults: Sequence[Fault | None]) -> None:
    rows: Any = type(links[0])._default_manager
    keys = {
        Delivery.SENT: [
            link.pk for link, fault in zip(links, faults, strict=True) if fault is None
        ],
        Delivery.FAILED: [link.pk for link, fault in zip(links, faults, strict=True) if fault],
    }
    for delivery, found in keys.items():
        if found:
            rows.filter(pk__in=found).update(delivery=delivery)
