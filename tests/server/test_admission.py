"""Many handshakes at once: so many are under way, the others wait for their turn."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tertulia.server import admission

from .test_websocket import UPGRADE, Application, ended, eventually, masked, serving

PLACES = 3
Peer = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Holding(Application):
    """Accepts whom it is told to, notes in which order it was called, and stays in ASGI."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[str] = []
        self.let_in = asyncio.Event()
        self.never: set[str] = set()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        name = scope["path"][1:]
        self.begun.append(name)
        await (asyncio.Event() if name in self.never else self.let_in).wait()
        await super().__call__(scope, receive, send)


@pytest.fixture(autouse=True)
def _few_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "AT_ONCE", PLACES)


async def comes(server: Any, address: str, name: str, ahead: bytes = b"") -> Peer:
    """A raw connection that has asked, when the server has heard it."""
    known = len(server.server_state.connections)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(address[:-1].split(":")[2]))
    writer.write(UPGRADE.replace(b"GET / ", f"GET /{name} ".encode()) + ahead)
    await eventually(lambda: len(server.server_state.connections) > known)
    # One turn more, in which it is begun or not.
    await asyncio.sleep(0.02)
    return reader, writer


async def test_all_are_answered_in_the_end_in_their_order() -> None:
    names = [str(number) for number in range(4 * PLACES)]
    async with serving(Holding()) as (application, address, server):
        peers = [await comes(server, address, name) for name in names]
        assert application.begun == names[:PLACES]
        application.let_in.set()
        for reader, _ in peers:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            assert head.startswith(b"HTTP/1.1 101 ")
        assert application.begun == names
        for _, writer in peers:
            writer.close()


async def test_who_leaves_while_he_waits_is_never_begun() -> None:
    async with serving(Holding()) as (application, address, server):
        peers = [await comes(server, address, name) for name in "abcdef"]
        peers[4][1].close()
        await eventually(lambda: len(server.server_state.connections) == 5)
        application.let_in.set()
        for reader, _ in (*peers[:4], peers[5]):
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        assert application.begun == list("abcdf")
        for _, writer in peers:
            writer.close()


async def test_handshakes_that_hang_do_not_hold_up_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(admission, "PLACE_SECONDS", 0.3)
    application = Holding()
    application.never = set("abc")
    application.let_in.set()
    async with serving(application) as (_, address, server):
        hanging = [await comes(server, address, name) for name in "abc"]
        waiting = [await comes(server, address, name) for name in "de"]
        for reader, _ in waiting:
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        # And whoever hangs does not take a place from those who come later.
        later = await comes(server, address, "f")
        await asyncio.wait_for(later[0].readuntil(b"\r\n\r\n"), 5)
        assert application.begun == list("abcdef")
        for _, writer in (*hanging, *waiting, later):
            writer.close()


async def test_what_is_sent_while_one_waits_is_heard_behind_the_handshake() -> None:
    async with serving(Holding()) as (application, address, server):
        peers = [await comes(server, address, name) for name in "abc"]
        peers.append(await comes(server, address, "d", masked("early")))
        peers[3][1].write(masked("bird"))
        application.let_in.set()
        await eventually(lambda: len(application.received) == 2)
        assert [message["text"] for message in application.received] == ["early", "bird"]
        for _, writer in peers:
            writer.close()


async def test_a_stopping_server_ends_those_who_wait() -> None:
    async with serving(Holding()) as (application, address, server):
        peers = [await comes(server, address, name) for name in "abcd"]
        server.should_exit = True
        assert (await ended(peers[3][0])).startswith(b"HTTP/1.1 500 ")
        application.let_in.set()
        assert application.begun == list("abc")
        for _, writer in peers:
            writer.close()


async def test_nobody_waits_in_the_last_files_of_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "open_files", lambda: admission.OTHER_FILES + PLACES + 1)
    async with serving(Holding()) as (application, address, server):
        peers = [await comes(server, address, name) for name in "abcd"]
        reader, writer = await asyncio.open_connection("127.0.0.1", int(address[:-1].split(":")[2]))
        writer.write(UPGRADE)
        refused = await ended(reader)
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: " in refused
        application.let_in.set()
        await asyncio.wait_for(peers[3][0].readuntil(b"\r\n\r\n"), 5)
        for _, each in (*peers, (reader, writer)):
            each.close()


async def test_an_address_that_is_not_ascii_is_refused_and_takes_no_place() -> None:
    async with serving(Holding()) as (application, address, server):
        port = int(address[:-1].split(":")[2])
        for _ in range(PLACES + 1):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(UPGRADE.replace(b"GET / ", "GET /ñ ".encode()))
            assert (await ended(reader)).startswith(b"HTTP/1.1 400 ")
            writer.close()
        _, writer = await comes(server, address, "a")
        await eventually(lambda: application.begun == ["a"])
        application.let_in.set()
        writer.close()


async def test_nobody_is_let_in_while_too_many_answers_are_owed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    debts = [0]
    monkeypatch.setattr(admission, "owed", lambda: debts[0])
    async with serving(Holding()) as (application, address, server):
        application.let_in.set()
        peers = [await comes(server, address, "first")]
        await asyncio.wait_for(peers[0][0].readuntil(b"\r\n\r\n"), 5)
        debts[0] = admission.OWED
        peers += [await comes(server, address, name) for name in "ab"]
        assert application.begun == ["first"]
        debts[0] -= 1
        for reader, _ in peers[1:]:
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        assert application.begun == ["first", "a", "b"]
        for _, writer in peers:
            writer.close()


async def test_answers_that_are_owed_for_ever_do_not_shut_the_door(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(admission, "PLACE_SECONDS", 1.0)
    async with serving(Holding()) as (application, address, server):
        application.let_in.set()
        first = await comes(server, address, "first")
        monkeypatch.setattr(admission, "owed", lambda: admission.OWED)
        others = [await comes(server, address, f"{n}") for n in range(30)]
        assert application.begun[:1] == ["first"]
        assert len(application.begun) < 10
        # Not one by one, each after that time.
        async with asyncio.timeout(6):
            for reader, _ in others:
                await reader.readuntil(b"\r\n\r\n")
        for _, writer in (first, *others):
            writer.close()
