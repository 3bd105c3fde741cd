"""This process's one channel in the configured channel layer.

The process joins a room's group once, for all its connections. Nothing here is needed for
safety: when the layer is away, the sweep finds in the database what the news did not bring.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from channels.layers import InMemoryChannelLayer, get_channel_layer

from . import news

logger = logging.getLogger(__name__)

# News that may wait for the layer; beyond it the oldest are dropped.
OUTBOX = 10_000
# Seconds that one call to the layer may take.
PATIENCE = 3.0
# Seconds between two calls after one has failed; and, from when it is back, until what has to be
# told again is told again: the others, too, have to find out, the last of them when they join
# anew by themselves.
RETRY = 0.25
SETTLING = (3.0, 12.0)
MESSAGE_TYPE = "tertulia.news"
# Sent to find out whether the layer is back; nobody takes it.
PROBE_TYPE = "tertulia.probe"


def crossing_layer() -> Any | None:
    """The default layer, if it reaches other processes."""
    layer = get_channel_layer()
    return None if layer is None or isinstance(layer, InMemoryChannelLayer) else layer


def message(origin: str, payload: bytes) -> dict[str, Any]:
    """News as the layer carries them."""
    return {"type": MESSAGE_TYPE, "origin": origin, "data": payload}


class Waiting(NamedTuple):
    """News on their way out; those of a room's growth also as they were before encoding."""

    group: str
    envelope: dict[str, Any]
    growth: news.Activity | None = None


class LayerLink:
    """Groups joined, news sent and received. With an in-memory layer it does nothing at all."""

    def __init__(self, origin: str, received: Callable[[str, news.Any], None]) -> None:
        self.origin = origin
        self._received = received
        self.layer: Any = crossing_layer()
        self.failing = False
        # For the metrics: news sent, received from others, and dropped because the layer was
        # away or too slow; times that all groups were joined anew; calls that failed.
        self.sent = 0
        self.received = 0
        self.dropped = 0
        self.rejoins = 0
        self.failures = 0
        self._channel: str | None = None
        self._epoch = ""
        self._groups: set[str] = set()
        self._outbox: deque[Waiting] = deque()
        # Rooms that have grown while the layer was away, by id.
        self._grown: dict[int, news.Activity] = {}
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, epoch: str) -> None:
        """Join the group of the whole site and begin to send and receive.

        A layer that is away now is asked again: nobody waits for it.
        """
        if self.layer is None:
            return
        self._epoch = epoch
        self._groups = {news.site_group(epoch)}
        await self._open()
        self._tasks = [
            asyncio.create_task(self._receive()),
            asyncio.create_task(self._send()),
        ]

    async def _open(self) -> bool:
        """Get a channel, and with it all groups."""
        try:
            self._channel = await asyncio.wait_for(
                self.layer.new_channel("tertulia"),
                PATIENCE,
            )
        except Exception as error:  # noqa: BLE001 - every layer raises its own types
            self._failed(error)
            return False
        await self.rejoin()
        return True

    async def move(self, epoch: str) -> None:
        """The history is another one: nothing of the old one is to be heard or told."""
        self._epoch = epoch
        self._grown.clear()
        for group in list(self._groups):
            await self.leave(group)
        await self.join(news.site_group(epoch))

    async def stop(self) -> None:
        """Leave the layer alone."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def join(self, group: str) -> None:
        """Take a group's news; a failure is mended by `rejoin`."""
        if self.layer is None:
            return
        self._groups.add(group)
        if self._channel is not None:
            await self._try(self.layer.group_add(group, self._channel), proves=False)

    async def leave(self, group: str) -> None:
        """No longer take them."""
        self._groups.discard(group)
        if self.layer is not None and self._channel is not None:
            await self._try(self.layer.group_discard(group, self._channel), proves=False)

    async def rejoin(self) -> None:
        """Join all groups anew: heals FLUSHALL, expiry and a restarted Redis."""
        if self.layer is None or self._channel is None:
            return
        self.rejoins += 1
        for group in list(self._groups):
            if not await self._try(self.layer.group_add(group, self._channel), proves=False):
                return
        if self.failing:
            # Nobody has to send just now for us to know that it is back.
            probe = self.layer.group_send(news.site_group(self._epoch), {"type": PROBE_TYPE})
            await self._try(probe)

    def to_site(self, item: news.Any) -> None:
        """Tell all other processes; returns at once."""
        self._put(news.site_group(self._epoch), item)

    def to_room(self, room_id: int, item: news.Any) -> None:
        """Tell the other processes in which somebody listens to the room; returns at once."""
        self._put(news.room_group(self._epoch, room_id), item)

    async def join_room(self, room_id: int) -> None:
        """Take a room's news."""
        await self.join(news.room_group(self._epoch, room_id))

    async def leave_room(self, room_id: int) -> None:
        """No longer take them."""
        await self.leave(news.room_group(self._epoch, room_id))

    def _put(self, group: str, item: news.Any) -> None:
        if self.layer is None:
            return
        if len(self._outbox) >= OUTBOX:
            self._outbox.popleft()
            self.dropped += 1
        growth = item if isinstance(item, news.Activity) else None
        self._outbox.append(Waiting(group, message(self.origin, news.encode(item)), growth))
        self._wake.set()

    @property
    def waiting(self) -> int:
        """News that wait for the layer."""
        return len(self._outbox)

    async def _send(self) -> None:
        while True:
            if not self._outbox:
                self._wake.clear()
                await self._wake.wait()
            item = self._outbox.popleft()
            if await self._try(self.layer.group_send(item.group, item.envelope)):
                self.sent += 1
            else:
                self._thin(item)
                await asyncio.sleep(RETRY)

    def _thin(self, failed: Waiting) -> None:
        """What waits is as old as the outage by the time it can be sent, and would keep what is
        new from going out: the sweep brings it sooner. It does not bring that a room has grown
        in which nobody listens, so that is told again, once a room."""
        self.dropped += 1 + len(self._outbox)
        for growth in (item.growth for item in (failed, *self._outbox)):
            if growth is not None:
                before = self._grown.get(growth.room_id)
                self._grown[growth.room_id] = before.merged(growth) if before else growth
        self._outbox.clear()

    def _back(self) -> None:
        self.failing = False
        logger.warning("The channel layer answers again")
        loop = asyncio.get_running_loop()
        for after in SETTLING:
            loop.call_later(after, self._tell_again, after == SETTLING[-1])

    def _tell_again(self, last: bool) -> None:
        if self.failing:
            # Away again: told when it is back.
            return
        grown = list(self._grown.values())
        if last:
            self._grown.clear()
        for growth in grown:
            self.to_site(growth)

    async def _receive(self) -> None:
        while True:
            if self._channel is None and not await self._open():
                await asyncio.sleep(RETRY)
                continue
            try:
                envelope = await self.layer.receive(self._channel)
            except Exception as error:  # noqa: BLE001 - every layer raises its own types
                self._failed(error)
                await asyncio.sleep(RETRY)
                await self.rejoin()
                continue
            self._take(envelope)

    def _take(self, envelope: dict[str, Any]) -> None:
        if envelope.get("type") != MESSAGE_TYPE or envelope.get("origin") == self.origin:
            return
        try:
            item = news.decode(envelope["data"])
        except Exception:
            logger.exception("News from the layer could not be read")
            return
        self.received += 1
        try:
            self._received(envelope["origin"], item)
        except Exception:  # whoever takes them must live on
            logger.exception("News from the layer could not be taken")

    async def _try(self, call: Any, *, proves: bool = True) -> bool:
        """Whether the layer did it. `proves`: it cannot have done so without being there; the
        pub/sub layer asks nobody for a group that it believes to have joined."""
        try:
            # Not `wait_for`, which before Python 3.12 makes a task for it.
            async with asyncio.timeout(PATIENCE):
                await call
        except Exception as error:  # noqa: BLE001 - every layer raises its own types
            self._failed(error)
            return False
        if self.failing and proves:
            self._back()
        return True

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        if not self.failing:
            self.failing = True
            logger.warning(
                "The channel layer is away (%s). Messages are kept and reach the other"
                " processes through the database.",
                error or type(error).__name__,
            )
