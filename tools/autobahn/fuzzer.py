"""The client that carries out a case against a server, one connection a case.

It is Autobahn's own WebSocket client, which can break every rule, with the handful of methods
and attributes that the suite's cases expect of the suite's runner. The judgement is the case's.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import txaio
from autobahn.asyncio.websocket import WebSocketClientFactory, WebSocketClientProtocol
from cases import as_bytes, as_text

# A case has a deadline of its own, in most cases of a second; this is for one that forgot it.
CASE_SECONDS = 30.0


class Outcome(StrEnum):
    """What came of a case; the order is that of the report's columns."""

    PASSED = "passed"
    NON_STRICT = "non-strict"
    INFORMATIONAL = "informational"
    NOT_OFFERED = "not offered"
    FAILED = "failed"


_BEHAVIOURS = {
    "OK": Outcome.PASSED,
    "NON-STRICT": Outcome.NON_STRICT,
    "INFORMATIONAL": Outcome.INFORMATIONAL,
    "UNIMPLEMENTED": Outcome.NOT_OFFERED,
}
# How the connection ended, which the suite judges apart; its pages have the same two shades.
_CLOSES = {
    "OK": Outcome.PASSED,
    "INFORMATIONAL": Outcome.PASSED,
    "WRONG CODE": Outcome.NON_STRICT,
    "FAILED BY CLIENT": Outcome.NON_STRICT,
}


@dataclass(frozen=True)
class Result:
    """`seconds` is the wall time of the case; `detail` says what was wrong, if anything was."""

    case: str
    outcome: Outcome
    detail: str
    seconds: float


class _Client(WebSocketClientProtocol):  # type: ignore[misc]
    """What a case calls `self.p`. Payloads are Latin-1 text on the case's side: see `cases.py`."""

    createWirelog = False
    connectionWasOpen = False

    def __init__(self, case: type[Any], factory: WebSocketClientFactory) -> None:
        super().__init__()
        self.factory = factory
        self.ended: asyncio.Future[None] = factory.loop.create_future()
        # Frames sent, by opcode.
        self.txFrameStats: Counter[int] = Counter()
        # Made before there is a connection: the handshake asks it what to offer.
        self.case = case(self)

    # --- what the server does --------------------------------------------------------------

    def onOpen(self) -> None:
        self.connectionWasOpen = True
        self.case.onOpen()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        # The cases with compression read and decode files, and so have bytes in Python 3 too.
        has_bytes = self.case.reportCompressionRatio
        self.case.onMessage(payload if has_bytes else as_text(payload), isBinary)

    def onPong(self, payload: bytes) -> None:
        self.case.onPong(as_text(payload))

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self.case.onClose(wasClean, code, reason)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.case.onConnectionLost(self.failedByMe)
        if not self.ended.done():
            self.ended.set_result(None)

    # --- what the case does ----------------------------------------------------------------

    def sendFrame(self, opcode: int, payload: str | bytes = b"", **options: Any) -> None:
        self.txFrameStats[opcode] += 1
        super().sendFrame(opcode, as_bytes(payload), **options)

    def sendMessage(self, payload: str | bytes, isBinary: bool = False, **options: Any) -> None:
        super().sendMessage(as_bytes(payload), isBinary, **options)

    def sendMessageFrameData(self, payload: str | bytes, sync: bool = False) -> Any:
        return super().sendMessageFrameData(as_bytes(payload), sync)

    def sendCloseFrame(
        self,
        code: int | None = None,
        reasonUtf8: str | bytes | None = None,
        isReply: bool = False,
    ) -> None:
        reason = None if reasonUtf8 is None else as_bytes(reasonUtf8)
        super().sendCloseFrame(code, reason, isReply)

    def continueLater(self, delay: float, step: Any, tag: str | None = None) -> None:
        self._later(delay, step)

    def closeAfter(self, delay: float) -> None:
        self._later(delay, self.sendClose)

    def killAfter(self, delay: float) -> None:
        self._later(delay, self._fail_connection)

    def _later(self, delay: float, step: Any) -> None:
        self.factory.loop.call_later(delay, self._unless_closed, step)

    def _unless_closed(self, step: Any) -> None:
        if self.state != self.STATE_CLOSED:
            step()

    def enableWirelog(self, enable: bool) -> None:
        """The runner of the suite keeps a log of all octets for its pages; here is none."""


async def carry_out(name: str, case: type[Any], host: str, port: int, path: str) -> Result:
    """One case. Raises OSError where nobody listens at the address."""
    loop = asyncio.get_running_loop()
    txaio.config.loop = loop
    factory = WebSocketClientFactory(f"ws://{host}:{port}{path}", loop=loop)
    # A rule that the server breaks is answered by a close frame, not by cutting the connection.
    factory.setProtocolOptions(failByDrop=False)
    client = _Client(case, factory)
    seconds = CASE_SECONDS + getattr(client.case, "WAITSECS", 0)
    began = time.monotonic()
    await loop.create_connection(lambda: client, host, port)
    try:
        async with asyncio.timeout(seconds):
            await client.ended
    except TimeoutError:
        client.transport.abort()
        await client.ended
        return Result(name, Outcome.FAILED, f"had not ended after {seconds:.0f} s", seconds)
    outcome, detail = _judgement(client)
    return Result(name, outcome, detail, time.monotonic() - began)


def _judgement(client: _Client) -> tuple[Outcome, str]:
    case, code = client.case, client.remoteCloseCode
    outcome = _BEHAVIOURS.get(case.behavior, Outcome.FAILED)
    detail = case.result
    if outcome in (Outcome.PASSED, Outcome.NON_STRICT):
        close = _CLOSES.get(case.behaviorClose, Outcome.FAILED)
        # Right in what was asked, perhaps wrong in how the connection ended.
        if close is not Outcome.PASSED and outcome is not close:
            outcome, detail = close, case.resultClose
    if outcome is Outcome.PASSED:
        return outcome, ""
    return outcome, f"{_one_line(detail)} (close code: {'none' if code is None else code})"


def _one_line(text: str) -> str:
    return " ".join(str(text).split())
