"""Handshakes of the same moment share a thread, and a statement where they can.

As in the writer, nothing waits for a timer: what is asked while the answers to others are on their
way goes together afterwards.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tertulia.protocol.errors import unavailable

from ..validity import Identity

if TYPE_CHECKING:
    from ..runtime import Runtime

# What answers many questions of one kind in a thread: keys to as many answers, in their order.
Answer = Callable[[list[Any]], list[Identity | Exception | None]]

# Questions that one call answers: few enough that the last does not wait long for the first.
TOGETHER = 64
# Calls of one kind that are on their way at once: half of the reader threads, so that a slow
# way of signing in leaves the others to those who are in.
AT_ONCE = 2

_Asked = tuple[Any, "asyncio.Future[Identity | None]"]


class Asking:
    """Gathers what is asked within a turn of the loop, and while others are being answered."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._waiting: dict[Answer, deque[_Asked]] = {}
        self._calls: Counter[Answer] = Counter()
        self._scheduled = False

    async def ask(self, answer: Answer, key: Any) -> Identity | None:
        """The answer to one question. Raises `ProtocolError`: also when the database is away."""
        future: asyncio.Future[Identity | None] = self._runtime.loop.create_future()
        if not self._scheduled:
            self._scheduled = True
            self._runtime.loop.call_soon(self._go)
        self._waiting.setdefault(answer, deque()).append((key, future))
        return await future

    def _go(self) -> None:
        self._scheduled = False
        for answer, waiting in list(self._waiting.items()):
            while waiting and self._calls[answer] < AT_ONCE:
                asked = [waiting.popleft() for _ in range(min(len(waiting), TOGETHER))]
                self._calls[answer] += 1
                self._runtime.hub.spawn(self._call(answer, asked))

    async def _call(self, answer: Answer, asked: list[_Asked]) -> None:
        try:
            await self._answer(answer, asked)
        finally:
            self._calls[answer] -= 1
        self._go()

    async def _answer(self, answer: Answer, asked: list[_Asked]) -> None:
        answers: list[Identity | Exception | None]
        try:
            history = self._runtime.epoch
            answers = await self._runtime.readers.run(answer, [key for key, _ in asked])
            if history != self._runtime.epoch:
                # The ids of one history mean somebody else, or nobody, in another.
                raise unavailable("A backup was restored at this moment.")
        except Exception as error:  # noqa: BLE001 - it is raised where the answer is awaited
            answers = [error] * len(asked)
        except BaseException:
            for _, future in asked:
                future.cancel()
            raise
        for (_, future), found in zip(asked, answers, strict=True):
            if future.done():
                continue  # who asked has gone
            if isinstance(found, Exception):
                future.set_exception(found)
            else:
                future.set_result(found)
