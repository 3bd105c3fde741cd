"""A process's share of the mails to visitors: it looks what is due, and hands that over.

Everything else happens in the thread that sends mails, so a mail server that hangs keeps nobody
waiting.
"""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING

from tertulia.chat.log import AccessNews, Watched
from tertulia.chat.mailing.sender import TooManyWait, behind
from tertulia.chat.news import Activity
from tertulia.protocol.errors import ProtocolError

from . import times
from .agenda import Due, look
from .carry import Told, carry
from .ready import can_mail_visitors

if TYPE_CHECKING:
    from tertulia.chat.runtime import Runtime


class Post:
    """Of one runtime; called once a second. Where nobody is answered it asks seldom."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._ticks = 0
        self._looking = False
        # Whether something may stand on the agenda.
        self._expects = True
        # Conversations, by primary key, whose mail is handed over.
        self._handed: set[int] = set()

    def grown(self, item: Activity) -> None:
        """A conversation has grown, perhaps by an answer."""
        self._expects = True

    def heard(self, change: AccessNews) -> None:
        """Whoever has access: mails are for him who has written."""

    def forget(self) -> None:
        self._expects = True

    def tick(self) -> None:
        self._ticks += 1
        every = times.LOOK if self._expects else times.IDLE
        if self._ticks % every or self._looking or not can_mail_visitors():
            return
        if len(self._handed) < times.AT_ONCE:
            self._looking = True
            self._runtime.hub.spawn(self._look())

    async def _look(self) -> None:
        self._expects = False
        standing = True
        try:
            # Those that are handed over may be the first on the agenda, until they are claimed.
            found, standing = await self._runtime.readers.run(look, 2 * times.AT_ONCE)
        except ProtocolError:
            # The database is away: with the next look.
            return
        finally:
            self._expects = self._expects or standing
            self._looking = False
        for due in found:
            if due.id not in self._handed and len(self._handed) < times.AT_ONCE:
                self._hand_over(due)

    def _hand_over(self, due: Due) -> None:
        try:
            future = behind(1, partial(carry, due))
        except TooManyWait:
            return
        self._handed.add(due.id)
        future.add_done_callback(partial(self._back, due.id))

    def _back(self, pk: int, future: Future[Told | None]) -> None:
        """In the thread for mails. What failed there it has logged."""
        told = None if future.exception() is not None else future.result()
        self._runtime.call_soon(self._done, pk, told)

    def _done(self, pk: int, told: Told | None) -> None:
        self._handed.discard(pk)
        if told is None:
            return
        # Nothing was appended: its agents hear of the conversation as it is, and ask.
        watched = Watched([told.inbox], told.id, told.slug, told.head)
        news = Activity(told.id, told.slug, told.head, told.messages, [], {}, watched)
        self._runtime.activity.grown(news)
