"""One proxied connection: two sockets, and a pump for each direction between them."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import struct
import time
from typing import TYPE_CHECKING

from .toxics import Ended, Piece, Stream, Toxic

if TYPE_CHECKING:
    from .proxy import Proxy

READ = 16 * 1024
# Pieces that wait in one direction; beyond it the sender is not read, as by a full network.
WAITING = 16


class Link:
    """One direction: reads here, lets the toxics work, writes there."""

    def __init__(
        self, connection: Connection, stream: Stream, source: socket.socket, target: socket.socket
    ) -> None:
        self.connection = connection
        self.stream = stream
        self.source = source
        self.target = target
        # Bytes that have been written to the target.
        self.passed = 0
        self._pieces: asyncio.Queue[Piece | Exception | None] = asyncio.Queue(WAITING)

    async def run(self) -> None:
        """Until the source ends and its end has been passed on."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._read())
            both.create_task(self._write())

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                data = await loop.sock_recv(self.source, READ)
            except OSError as error:
                await self._pieces.put(error)
                return
            await self._pieces.put(Piece(data, time.monotonic()) if data else None)
            if not data:
                return

    async def _write(self) -> None:
        while isinstance(piece := await self._pieces.get(), Piece):
            await self._pass(piece, self.toxics())
        for toxic in self.toxics():
            await toxic.closing(self)
        if piece is not None:
            self.connection.reset()
            raise Ended
        with contextlib.suppress(OSError):
            self.target.shutdown(socket.SHUT_WR)

    async def _pass(self, piece: Piece, toxics: list[Toxic]) -> None:
        if toxics:
            async for part in toxics[0].transform(piece, self):
                await self._pass(part, toxics[1:])
            return
        try:
            await asyncio.get_running_loop().sock_sendall(self.target, piece.data)
        except OSError:
            # The target is gone: the source hears of it as it would without a proxy.
            self.connection.reset()
            raise Ended from None
        self.passed += len(piece.data)

    def toxics(self) -> list[Toxic]:
        """Those that are on this direction now."""
        return [each for each in self.connection.toxics if each.stream == self.stream]


class Connection:
    """A client's connection and ours to the server."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self.proxy = proxy
        self.client = client
        self.server = server
        self.toxics: list[Toxic] = []
        self.links = (
            Link(self, "upstream", client, server),
            Link(self, "downstream", server, client),
        )
        self._begun: dict[Toxic, asyncio.Task[None]] = {}
        self._pumps: list[asyncio.Task[None]] = []
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def run(self) -> None:
        """Until both directions have ended, or somebody has closed or reset it."""
        self._pumps = [asyncio.create_task(link.run()) for link in self.links]
        try:
            ended = await asyncio.gather(*self._pumps, return_exceptions=True)
            for error in ended:
                if isinstance(error, Exception) and not _expected(error):
                    raise error
        finally:
            self.close()

    def add(self, toxic: Toxic) -> None:
        """From now on, with the toxic's probability."""
        if toxic.random.random() < toxic.toxicity:
            self.toxics.append(toxic)
            self._begun[toxic] = asyncio.create_task(toxic.begin(self))

    def remove(self, toxic: Toxic) -> None:
        """No longer; `toxic.gone` is set, so whatever it holds back goes on."""
        if toxic in self.toxics:
            self.toxics.remove(toxic)

    def close(self) -> None:
        """End both sides as a program does that closes its socket (FIN)."""
        self._end()

    def reset(self) -> None:
        """End both sides at once by RST; what was under way is lost."""
        for each in (self.client, self.server):
            with contextlib.suppress(OSError):
                # On, and for no time: close() then sends RST and forgets what waits.
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._end()

    def _end(self) -> None:
        current = asyncio.current_task()
        for task in (*self._pumps, *self._begun.values()):
            if task is not current:
                task.cancel()
        loop = asyncio.get_running_loop()
        for each in (self.client, self.server):
            if each.fileno() >= 0:
                # Else a cancelled reading would be looked for after another has its number.
                loop.remove_reader(each)
                loop.remove_writer(each)
                with contextlib.suppress(OSError):
                    _end_of_stream(each)
                each.close()


def _end_of_stream(sock: socket.socket) -> None:
    """FIN, unless closing it is to be a reset: the kernel makes it one where bytes are unread."""
    if struct.unpack("ii", sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))[0]:
        return
    sock.shutdown(socket.SHUT_WR)
    while sock.recv(READ):
        pass


def _expected(error: Exception) -> bool:
    """Whether that is how a pump ends."""
    if isinstance(error, ExceptionGroup):
        return all(_expected(each) for each in error.exceptions)
    return isinstance(error, Ended) or (
        isinstance(error, OSError) and error.errno in (errno.EBADF, errno.ECONNRESET, errno.EPIPE)
    )
