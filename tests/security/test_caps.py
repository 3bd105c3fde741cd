"""Statement 14: caps of sockets and rates, by person, address and process, and no way around them.

The limits of the product are too high to be reached here, so a server runs with lower ones
(`small/`). Another address of the loopback is another stranger.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tertulia.testing.client import Client, Closed, new_key, open_socket
from tertulia.testing.processes import wait_for
from tertulia.testing.server import Server
from tests.support.classic import ClassicClient

from .conftest import PROCESS_SOCKETS, SMALL
from .raw import SOCKETS
from .small.small_limits import ADDRESS_SOCKETS, PERSON_SOCKETS, SENDS
from .web import Visitor

ELSEWHERE = [f"127.0.0.{number}" for number in range(2, 20)]


@pytest.fixture
async def held() -> AsyncIterator[AsyncExitStack]:
    """Sockets that are held until the test ends."""
    async with AsyncExitStack() as stack:
        yield stack


async def hold(
    stack: AsyncExitStack, server: Server, path: str = "/ws/socket/", source: str = "", **how: Any
) -> ClientConnection:
    """A socket from an address of the loopback, open until the end of the test."""
    local: dict[str, Any] = {"local_addr": (source, 0)} if source else {}
    socket = await open_socket(server.ws + path, **how, **local)
    stack.push_async_callback(socket.close)
    return socket


async def settled(server: Server) -> None:
    """The sockets of the test before have gone: as many may come again."""

    async def all_in() -> bool:
        async with AsyncExitStack() as stack:
            try:
                for number in range(ADDRESS_SOCKETS):
                    socket = await hold(stack, server, source=ELSEWHERE[number % 2])
                    await socket.send("?")
                    await socket.recv()
            except Exception:
                return False
            return True

    for _ in range(200):
        if await all_in():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the sockets of the test before are still counted")


@pytest.fixture(autouse=True)
async def _alone(small: Server) -> None:
    await settled(small)


async def ended(socket: ClientConnection) -> int | None:
    """The code with which the server closed it."""
    await asyncio.wait_for(socket.wait_closed(), 10)
    return socket.close_code


async def test_a_full_process_refuses_with_503_before_the_upgrade(
    small: Server, held: AsyncExitStack
) -> None:
    sockets = [
        await hold(held, small, source=ELSEWHERE[number % len(ELSEWHERE)])
        for number in range(PROCESS_SOCKETS)
    ]
    for path in SOCKETS:
        with pytest.raises(InvalidStatus) as refused:
            await hold(held, small, path, source="127.0.0.99")
        response = refused.value.response
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0
    # Pages are answered, and who is here stays; a foreign page is told nothing of it.
    assert small.status("/healthz") == 200
    assert small.status("/accounts/login/") == 200
    await sockets[0].send("still here")
    assert await sockets[0].recv() == "You said: still here"
    with pytest.raises(InvalidStatus) as refused:
        await hold(held, small, origin="http://evil.example")
    assert refused.value.response.status_code == 403
    # A line for each of those who are refused would fill the disk.
    assert "ERROR" not in small.tail()
    await sockets[0].close()
    await asyncio.to_thread(
        wait_for, lambda: asyncio.run(_comes_in(small)), 10, "a place has become free"
    )


async def _comes_in(server: Server) -> bool:
    try:
        socket = await open_socket(server.ws + "/ws/socket/", local_addr=("127.0.0.99", 0))
    except InvalidStatus:
        return False
    await socket.close()
    return True


@pytest.mark.parametrize("path", ["/ws/", "/ws/socket/"])
async def test_one_address_holds_so_many_sockets_and_another_as_many(
    small: Server, held: AsyncExitStack, path: str
) -> None:
    for _ in range(ADDRESS_SOCKETS):
        await hold(held, small, path)
    for refused in SOCKETS:
        assert await ended(await hold(held, small, refused)) == 4429
    other = await hold(held, small, source=ELSEWHERE[0])
    await other.send("hola")
    assert await other.recv() == "You said: hola"


async def test_handshakes_at_the_same_moment_are_no_way_around(
    small: Server, held: AsyncExitStack
) -> None:
    """Asking who it is takes a moment, in which the others are asked too."""
    tokens = [token for _, token in small.people(8, batch=8)]
    opening = (hold(held, small, "/ws/", token=token) for token in tokens * (PERSON_SOCKETS - 1))
    sockets = await asyncio.gather(*opening)
    assert len(sockets) > ADDRESS_SOCKETS
    await asyncio.gather(*(_is_closed(socket) for socket in sockets))
    assert sum(socket.close_code is None for socket in sockets) <= ADDRESS_SOCKETS


async def _is_closed(socket: ClientConnection) -> None:
    """Returns when it is closed, or has been answered."""
    with contextlib.suppress(ConnectionClosed):
        await socket.send("no JSON")
        while json.loads(await asyncio.wait_for(socket.recv(), 10))["type"] != "reply":
            pass


async def test_forwarded_addresses_of_a_stranger_are_no_way_around(
    small: Server, held: AsyncExitStack
) -> None:
    for number in range(ADDRESS_SOCKETS):
        await hold(held, small, headers=_as_if_from(number))
    assert await ended(await hold(held, small, headers=_as_if_from(99))) == 4429


def _as_if_from(number: int) -> dict[str, str]:
    """What a proxy would say; nobody has named the sender as one."""
    far = f"203.0.113.{number}"
    return {
        "X-Forwarded-For": far, "X-Real-IP": far, "Forwarded": f"for={far}",
        "True-Client-IP": far, "CF-Connecting-IP": far,
    }  # fmt: skip


async def test_one_person_holds_so_many_sockets_whatever_the_addresses(
    small: Server, held: AsyncExitStack
) -> None:
    ((_, token),) = small.people(1, batch=8)
    for number in range(PERSON_SOCKETS):
        socket = await hold(held, small, "/ws/", ELSEWHERE[number], token=token)
        await socket.recv()
    for number, path in enumerate(("/ws/", "/ws/chat/lobby/")):
        more = await hold(held, small, path, ELSEWHERE[10 + number], token=token)
        assert await ended(more) == 4429
    late = await Client.connect(small.ws, welcome=False)
    await late.send({"type": "auth", "token": token})
    assert (await late.closing()).code == 4429


async def flood(client: Client, room: str, count: int) -> int:
    """How many of so many messages were taken."""
    asked = [
        client.request("message.send", room=room, key=new_key(), text=str(number))
        for number in range(count)
    ]
    replies = await asyncio.gather(*asked)
    codes = {reply["error"]["code"] for reply in replies if not reply["ok"]}
    assert codes <= {"rate_limited"}
    return sum(reply["ok"] for reply in replies)


async def test_a_rate_of_a_person_survives_sockets_addresses_and_protocols(small: Server) -> None:
    ((_, token),) = small.people(1, batch=8)
    async with await Client.connect(small.ws, token=token) as client:
        room = await client.create("Flood")
        assert await flood(client, room, 2 * SENDS) == SENDS
    for source in ELSEWHERE[:2]:
        how: dict[str, Any] = {"token": token, "local_addr": (source, 0)}
        async with await Client.connect(small.ws, **how) as client:
            assert await flood(client, room, 3) == 0
    async with await ClassicClient.connect(small.ws, room, token=token) as classic:
        await classic.say("around")
        assert (await classic.next())["code"] == "rate_limited"


async def test_a_rate_of_an_address_survives_people_and_made_up_addresses(small: Server) -> None:
    """As many as two people may say together, a third one from there may not."""
    source = "127.0.0.77"
    taken = 0
    for number, (_, token) in enumerate(small.people(4, batch=8)):
        how: dict[str, Any] = {
            "token": token,
            "headers": _as_if_from(number),
            "local_addr": (source, 0),
        }
        async with await Client.connect(small.ws, **how) as client:
            taken += await flood(client, await client.create("Many"), SENDS)
    assert taken == 2 * SENDS


async def test_guests_are_admitted_at_a_rate_of_their_address() -> None:
    server = Server(open=True, env=SMALL).start()
    try:
        codes = []
        for number in range(8):
            try:
                how: dict[str, Any] = {"headers": _as_if_from(number)}
                async with await Client.connect(server.ws, **how):
                    codes.append(0)
            except Closed as closed:
                codes.append(closed.code or 0)
                assert "retry_after" in closed.reason
        assert codes == [0] * 5 + [1013] * 3
    finally:
        server.remove()


def test_forwarded_addresses_do_not_renew_a_throttle(small: Server) -> None:
    """Ten links for a new password from one address, whatever it says of itself."""
    statuses = []
    for number in range(14):
        form = {"email": f"nobody{number}@example.org"}
        with Visitor(small, **_as_if_from(number)) as visitor:
            statuses.append(visitor.ask("POST", "/accounts/reset/", form=form).status)
    assert statuses == [200] * 10 + [429] * 4


def test_the_limit_on_open_files_bounds_a_process_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather a refusal than a process that can neither accept nor read its database."""
    from tertulia.chat import capacity
    from tertulia.server import sockets

    monkeypatch.setattr(capacity, "open_files", sockets.open_files.__wrapped__)
    monkeypatch.setattr(resource, "getrlimit", lambda which: (1_024, 4_096))
    assert capacity.most_sockets() == 1_024 - sockets.OTHER_FILES
    monkeypatch.setattr(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY,) * 2)
    assert capacity.most_sockets() == capacity.conf.max_sockets
