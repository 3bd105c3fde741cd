"""A server that does to deliveries what a generator must notice."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve


class Crooked:
    """Tells everybody everything, but for what `wrong` says of a message, counted from 0.

    `wrong[n]`: "lose" (the last connection does not get it), "double" (the first gets it twice),
    "join" (it waits, and comes in one frame with the next one), "swap" (the first connection gets
    it after the next one).
    """

    def __init__(self, wrong: dict[int, str]) -> None:
        self.wrong = wrong
        self.room: list[ServerConnection] = []
        self.lock = threading.Lock()
        self.heard = 0
        self.kept = ""

    def serve(self, connection: ServerConnection) -> None:
        """One connection's life. It is told when it is in the room."""
        with self.lock:
            self.room.append(connection)
            connection.send("here")
        # The generator leaves without a word.
        with contextlib.suppress(ConnectionClosed):
            for text in connection:
                with self.lock:
                    self.tell(str(text))

    def tell(self, text: str) -> None:
        wrong = self.wrong.get(self.heard)
        before = self.wrong.get(self.heard - 1)
        self.heard += 1
        first, *others = self.room
        if wrong == "join":
            self.kept = text
            return
        if before == "join":
            text = self.kept + text
        if wrong == "lose":
            others = others[:-1]
        if wrong == "swap":
            self.kept = text
        else:
            first.send(text)
        if wrong == "double":
            first.send(text)
        for connection in others:
            connection.send(text)
        if before == "swap":
            first.send(self.kept)


@contextlib.contextmanager
def crooked(wrong: dict[int, str]) -> Iterator[int]:
    """Its port."""
    server: Server
    with serve(Crooked(wrong).serve, "127.0.0.1", 0, compression=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.socket.getsockname()[1]
        finally:
            server.shutdown()
            thread.join()
