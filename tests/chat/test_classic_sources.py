"""Each source document's client, as written there, against its own address."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from tertulia.testing.client import open_socket
from tertulia.testing.server import Server


@pytest.fixture
async def socket(playground: Server) -> AsyncIterator[Any]:
    """`await socket("/ws/…")`, opened as a page of the site opens it."""
    async with AsyncExitStack() as stack:

        async def opened(path: str) -> ClientConnection:
            connection = await open_socket(playground.ws + path, origin=playground.url)
            stack.push_async_callback(connection.close)
            return connection

        yield opened


async def received(connection: ClientConnection) -> dict[str, Any]:
    """JSON.parse(e.data)"""
    data: dict[str, Any] = json.loads(await asyncio.wait_for(connection.recv(), 10))
    return data


@pytest.mark.parametrize("text", ["hola", "", " ", "ñandú 🦤", '{"message": "x"}', "x" * 60_000])
async def test_the_echo_socket_says_what_it_was_told(socket: Any, text: str) -> None:
    """Document 0: text in, the same text with a few words before it out."""
    connection = await socket("/ws/socket/")
    await connection.send(text)
    assert await asyncio.wait_for(connection.recv(), 10) == f"You said: {text}"


async def test_the_echo_is_for_the_sender_alone(socket: Any) -> None:
    first, second = await socket("/ws/socket/"), await socket("/ws/socket/")
    await first.send("hola")
    await asyncio.wait_for(first.recv(), 10)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(second.recv(), 0.5)


async def test_the_rooms_page(socket: Any) -> None:
    """Document 1: sends a type with the trimmed text, shows what has that type."""
    page, other = await socket("/ws/room/17/"), await socket("/ws/room/17/")
    await page.send(json.dumps({"type": "chat_message", "message": "  buenas  ".strip()}))
    for connection in (page, other):
        data = await received(connection)
        if data["type"] == "chat_message":
            shown = data["message"]
        assert shown == "buenas"
        assert isinstance(data["username"], str)


async def test_the_tutorials_page(socket: Any) -> None:
    """Document 2: two tabs in one room; each adds `message` and a line break to its log."""
    tabs = [await socket("/ws/chat/lobby/"), await socket("/ws/chat/lobby/")]
    logs = ["", ""]
    for text in ("hola", "hello"):
        await tabs[0].send(json.dumps({"message": text}))
        for number, tab in enumerate(tabs):
            logs[number] += (await received(tab))["message"] + "\n"
    assert logs == ["hola\nhello\n"] * 2


async def test_the_tutorials_rooms_are_apart(socket: Any) -> None:
    here, there = await socket("/ws/chat/here/"), await socket("/ws/chat/there/")
    await here.send(json.dumps({"message": "hola"}))
    await received(here)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(there.recv(), 0.5)


async def test_the_notes_page(socket: Any) -> None:
    """Document 3: an address as in the tutorial, the whole object written to the console."""
    connection = await socket("/ws/chat/notes/")
    await connection.send(json.dumps({"message": "from the notes"}))
    assert (await received(connection))["message"] == "from the notes"


@pytest.mark.parametrize("path", ["/ws/plain", "/ws/plain/"])
async def test_the_plain_address(socket: Any, path: str) -> None:
    """Document 4: the room's name right behind ws/, its last slash left out or not."""
    first, second = await socket(path), await socket("/ws/plain")
    await first.send(json.dumps({"message": "hola", "name": "agent", "url": "/x"}))
    assert (await received(first))["message"] == "hola"
    assert (await received(second))["message"] == "hola"


async def test_all_addresses_lead_to_one_room(socket: Any) -> None:
    paths = [
        "/ws/chat/same/",
        "/ws/room/same/",
        "/ws/same",
        "/ws/chat/same",
        "/ws/room/same",
        "/ws/same/",
    ]
    connections = [await socket(path) for path in paths]
    await connections[0].send(json.dumps({"message": "one room"}))
    heard = [await received(connection) for connection in connections]
    assert all(frame == heard[0] for frame in heard)
    assert heard[0]["room"] == "same"


def test_the_pages_of_the_tutorial_are_there(playground: Server) -> None:
    assert playground.status("/chat/") == 200
    assert playground.status("/chat/lobby/") == 200
