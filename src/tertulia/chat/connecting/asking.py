"""Handshakes of the same moment share a thread, and a statement where they can."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..validity import Identity

if TYPE_CHECKING:
    from ..runtime import Runtime

# What answers many questions of one kind in a thread: keys to as many answers, in their order.
Answer = Callable[[list[Any]], list[Identity | Exception | None]]

# Questions that one call answers: few enough that the last does not wait long for the first.
TOGETHER = 64


class Asking:
    """Gathers what is asked within a turn of the loop."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._waiting: dict[Answer, list[tuple[Any, asyncio.Future[Identity | None]]]] = {}

    async def ask(self, answer: Answer, key: Any) -> Identity | None:
        """The answer to one question. Raises `ProtocolError`: also when the database is away."""
        future: asyncio.Future[Identity | None] = self._runtime.loop.create_future()
        if not self._waiting:
            self._runtime.loop.call_soon(self._go)
        self._waiting.setdefault(answer, []).append((key, future))
        return await future

    def _go(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for answer, asked in waiting.items():
            for start in range(0, len(asked), TOGETHER):
                self._runtime.hub.spawn(self._answer(answer, asked[start : start + TOGETHER]))

    async def _answer(
        self, answer: Answer, asked: list[tuple[Any, asyncio.Future[Identity | None]]]
    ) -> None:
        answers: list[Identity | Exception | None]
        try:
            answers = await self._runtime.readers.run(answer, [key for key, _ in asked])
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
