"""Clients as the source documents have them: what each sends, what each reads, nothing else.

tutorial  connects to /ws/chat/<room>/, sends {"message": text}, reads `message`
rooms     connects to /ws/room/<room>/, sends {"type": "chat_message", "message": text},
          reads `message` of what has the type chat_message, and `username`
plain     connects to /ws/<room>, sends {"message": text}, reads `message`
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import urllib.parse
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tertulia.testing.client import PATIENCE, Closed, open_socket

# The three forms of address; each also with and without the slash at its end.
FORMS = ("/ws/chat/{}/", "/ws/room/{}/", "/ws/{}/", "/ws/chat/{}", "/ws/room/{}", "/ws/{}")


def address(form: str, room: str) -> str:
    return form.format(urllib.parse.quote(room))


class ClassicClient:
    """A socket on a classic address. `Closed` is raised when the server ended it."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    @classmethod
    async def connect(
        cls, ws: str, room: str, *, form: str = FORMS[0], query: str = "", **how: Any
    ) -> ClassicClient:
        return cls(await open_socket(ws + address(form, room) + query, **how))

    async def send(self, frame: Any) -> None:
        await self.socket.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    async def say(self, text: str) -> None:
        """As the tutorial's page does it."""
        await self.send({"message": text})

    async def next(self, seconds: float = PATIENCE) -> dict[str, Any]:
        """The next frame."""
        try:
            data = await asyncio.wait_for(self.socket.recv(), seconds)
        except ConnectionClosed as end:
            raise Closed(self.socket.close_code, self.socket.close_reason or "") from end
        frame: dict[str, Any] = json.loads(data)
        return frame

    async def hears(self, text: str) -> dict[str, Any]:
        """The next frame, which must bring this text as the source documents' clients read it."""
        frame = await self.next()
        assert frame["message"] == text, frame
        return frame

    async def closing(self, seconds: float = PATIENCE) -> Closed:
        """Wait until the server closes; how it did."""
        await asyncio.wait_for(self.socket.wait_closed(), seconds)
        return Closed(self.socket.close_code, self.socket.close_reason or "")

    async def silence(self, seconds: float = 0.7) -> None:
        """Assert that nothing comes."""
        with contextlib.suppress(TimeoutError):
            raise AssertionError(f"unexpected: {await self.next(seconds)}")

    async def close(self) -> None:
        await self.socket.close()

    async def __aenter__(self) -> ClassicClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
