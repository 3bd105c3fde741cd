"""What a proxy does to the bytes that pass it, in the terms of toxiproxy.

A toxic acts on one direction of the connections, and on each of them with the probability
`toxicity`. Times are milliseconds, rates KB (1,000 bytes) a second, as toxiproxy has them; only
the slicer's `delay` is microseconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, fields
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

if TYPE_CHECKING:
    from .links import Connection, Link

Stream = Literal["upstream", "downstream"]


class Ended(Exception):
    """A toxic has ended the connection: nothing more passes."""


@dataclass(frozen=True)
class Piece:
    """Bytes under way; `at` is when they came, by the monotonic clock."""

    data: bytes
    at: float


@dataclass(kw_only=True, eq=False)
class Toxic:
    """`stream`: upstream is from the client to the server, downstream the way back."""

    kind: ClassVar[str]
    stream: Stream = "downstream"
    toxicity: float = 1.0
    name: str = ""
    random: Random = field(default_factory=Random, repr=False)
    gone: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def __post_init__(self) -> None:
        self.name = self.name or f"{self.kind}_{self.stream}"
        if self.stream not in get_args(Stream):
            raise ValueError(f"stream is upstream or downstream, not {self.stream!r}")
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, int | float) and value < 0:
                raise ValueError(f"{self.kind}: {each.name} is below nought")

    async def sleep(self, seconds: float) -> None:
        """Wait so long, but no longer than the toxic is there."""
        if seconds > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.gone.wait(), seconds)

    async def begin(self, connection: Connection) -> None:
        """Runs beside each connection that is affected, from when it is."""

    async def transform(self, piece: Piece, link: Link) -> AsyncIterator[Piece]:
        """What becomes of a piece, in the order in which they came."""
        yield piece

    async def closing(self, link: Link) -> None:
        """Before the end of a direction is passed on."""


@dataclass(kw_only=True, eq=False)
class Latency(Toxic):
    """Everything comes `latency` ± `jitter` later; the order stays."""

    kind = "latency"
    latency: float = 0
    jitter: float = 0

    async def transform(self, piece: Piece, link: Link) -> AsyncIterator[Piece]:
        delay = (self.latency + self.random.uniform(-self.jitter, self.jitter)) / 1_000
        await self.sleep(piece.at + delay - time.monotonic())
        yield piece


@dataclass(kw_only=True, eq=False)
class Bandwidth(Toxic):
    """At most `rate` KB a second; 0 is nothing at all."""

    kind = "bandwidth"
    rate: float = 0
    STEP: ClassVar[float] = 0.05  # seconds' worth of bytes that pass at once

    async def transform(self, piece: Piece, link: Link) -> AsyncIterator[Piece]:
        if self.rate == 0:
            await self.gone.wait()
            yield piece
            return
        size = max(1, int(self.rate * 1_000 * self.STEP))
        for start in range(0, len(piece.data), size):
            part = piece.data[start : start + size]
            await self.sleep(len(part) / (self.rate * 1_000))
            yield Piece(part, piece.at)


@dataclass(kw_only=True, eq=False)
class SlowClose(Toxic):
    """The end of the stream is passed on `delay` later."""

    kind = "slow_close"
    delay: float = 0

    async def closing(self, link: Link) -> None:
        await self.sleep(self.delay / 1_000)


@dataclass(kw_only=True, eq=False)
class Timeout(Toxic):
    """Swallows everything, ends of streams too, and closes the connection after `timeout`.

    0 never closes it: half-open, as when a cable is pulled. When the toxic is taken away, the
    connections that it was on are closed, for bytes are missing in them.
    """

    kind = "timeout"
    timeout: float = 0

    async def begin(self, connection: Connection) -> None:
        if self.timeout:
            await self.sleep(self.timeout / 1_000)
        else:
            await self.gone.wait()
        connection.close()

    async def transform(self, piece: Piece, link: Link) -> AsyncIterator[Piece]:
        passed: tuple[Piece, ...] = ()
        for each in passed:
            yield each

    async def closing(self, link: Link) -> None:
        await self.gone.wait()


@dataclass(kw_only=True, eq=False)
class ResetPeer(Toxic):
    """The connection is reset on both sides (RST) after `timeout`; until then bytes pass."""

    kind = "reset_peer"
    timeout: float = 0

    async def begin(self, connection: Connection) -> None:
        await self.sleep(self.timeout / 1_000)
        if not self.gone.is_set():
            connection.reset()


@dataclass(kw_only=True, eq=False)
class Slicer(Toxic):
    """Cut into pieces of `average_size` ± `size_variation` bytes, `delay` microseconds apart."""

    kind = "slicer"
    average_size: int = 64
    size_variation: int = 0
    delay: float = 0

    async def transform(self, piece: Piece, link: Link) -> AsyncIterator[Piece]:
        start = 0
        while start < len(piece.data):
            if start:
                await self.sleep(self.delay / 1_000_000)
            vary = self.random.randint(-self.size_variation, self.size_variation)
            size = max(1, self.average_size + vary)
            yield Piece(piece.data[start : start + size], piece.at)
            start += size


@dataclass(kw_only=True, eq=False)
class LimitData(Toxic):
    """The connection is closed once `bytes` have passed in this direction."""

    kind = "limit_data"
    bytes: int = 0

    async def transform(self, piece: Piece, link: Link) -> AsyncIterator[Piece]:
        left = self.bytes - link.passed
        if left > 0:
            yield Piece(piece.data[:left], piece.at)
        if len(piece.data) >= left:
            link.connection.close()
            raise Ended


KINDS: dict[str, type[Toxic]] = {
    each.kind: each
    for each in (Latency, Bandwidth, SlowClose, Timeout, ResetPeer, Slicer, LimitData)
}


def make(kind: str, random: Random, **attributes: Any) -> Toxic:
    """A toxic by its kind. Raises ValueError for what there is not."""
    if kind not in KINDS:
        raise ValueError(f"there is no toxic {kind!r}; there are {', '.join(KINDS)}")
    known = settable(KINDS[kind])
    for name in attributes:
        if name not in known:
            raise ValueError(f"{kind} has no {name!r}; it has {', '.join(known)}")
    return KINDS[kind](random=random, **attributes)


def settable(kind: type[Toxic]) -> dict[str, Callable[[str], Any]]:
    """What can be said of a kind of toxic, and how to read it: its own first."""
    found = {each.name: _READ[str(each.type)] for each in fields(kind) if str(each.type) in _READ}
    general = ("stream", "toxicity", "name")
    return {n: t for n, t in found.items() if n not in general} | {n: found[n] for n in general}


_READ: dict[str, Callable[[str], Any]] = {"int": int, "float": float, "str": str, "Stream": str}


def parse(text: str) -> tuple[str, dict[str, Any]]:
    """`latency:latency=100,jitter=20,stream=upstream`, as on the command line, for `make`."""
    kind, _, rest = text.partition(":")
    if kind not in KINDS:
        raise ValueError(f"there is no toxic {kind!r}; there are {', '.join(KINDS)}")
    known = settable(KINDS[kind])
    attributes: dict[str, Any] = {}
    for word in filter(None, rest.split(",")):
        name, equals, value = word.partition("=")
        if name not in known or not equals:
            raise ValueError(f"{kind} takes {', '.join(known)}, each with =, not {word!r}")
        try:
            attributes[name] = known[name](value)
        except ValueError:
            raise ValueError(f"{name} must be a number, not {value!r}") from None
    return kind, attributes
