"""Rates and caps, which are on unless TERTULIA_LIMITS=off."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tertulia.testing.client import Client, Closed, new_key
from tertulia.testing.server import Server
from tests.support.browser import Browser
from tests.support.shapes import check_error


@pytest.fixture(scope="module")
def limited() -> Iterator[Server]:
    server = Server().start()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def limited_playground() -> Iterator[Server]:
    server = Server(open=True).start()
    yield server
    server.remove()


async def flood(client: Client, room: str, count: int = 1_000) -> list[dict[str, object]]:
    """Send so many messages at once; the replies."""
    return list(
        await asyncio.gather(
            *(
                client.request("message.send", room=room, key=new_key(), text=f"{n}", seconds=30)
                for n in range(count)
            )
        )
    )


async def test_a_flood_is_slowed_down_and_the_connection_stays(limited: Server) -> None:
    ((_, token),) = limited.people(1, batch=5)
    async with await Client.connect(limited.ws, token=token) as client:
        room = await client.create("Flooded")
        replies = await flood(client, room)
        refused = [reply for reply in replies if not reply["ok"]]
        assert refused
        assert len(refused) < len(replies)
        for reply in refused:
            error = check_error(reply, "rate_limited")
            assert 0 < error["retry_after"] < 120
        await client.cmd("ping")


async def test_after_the_time_told_a_retry_succeeds(limited: Server) -> None:
    ((_, token),) = limited.people(1, batch=5)
    async with await Client.connect(limited.ws, token=token) as client:
        room = await client.create("Patient")
        await flood(client, room)
        key = new_key()
        reply = await client.request("message.send", room=room, key=key, text="later")
        while not reply["ok"]:
            await asyncio.sleep(check_error(reply, "rate_limited")["retry_after"] + 0.05)
            reply = await client.request("message.send", room=room, key=key, text="later")
        assert reply["result"]["duplicate"] is False


async def test_a_new_connection_is_no_way_around(limited: Server) -> None:
    ((_, token),) = limited.people(1, batch=5)
    async with await Client.connect(limited.ws, token=token) as client:
        room = await client.create("Round the back")
        await flood(client, room)
    async with await Client.connect(limited.ws, token=token) as client:
        replies = await flood(client, room, 100)
        assert sum(not reply["ok"] for reply in replies) > 50


async def test_one_persons_flood_is_not_anothers_limit(limited: Server) -> None:
    (_, token), (_, other) = limited.people(2, batch=5)
    async with (
        await Client.connect(limited.ws, token=token) as client,
        await Client.connect(limited.ws, token=other) as second,
    ):
        room = await client.create("Shared")
        await second.cmd("room.join", room=room)
        await flood(client, room)
        await second.say(room, "I was quiet")


async def test_one_person_cannot_hold_any_number_of_sockets(limited: Server) -> None:
    ((_, token),) = limited.people(1, batch=5)
    held: list[Client] = []

    async def hold() -> None:
        while len(held) < 400:
            held.append(await Client.connect(limited.ws, token=token))

    try:
        with pytest.raises(Closed) as refused:
            await hold()
        assert refused.value.code == 4429
        assert len(held) >= 5
        await held[0].cmd("ping")
    finally:
        await asyncio.gather(*(client.close() for client in held))


async def test_what_is_malformed_too_often_is_refused_with_its_ref(limited: Server) -> None:
    ((_, token),) = limited.people(1, batch=5)
    async with await Client.connect(limited.ws, token=token) as client:
        asked = [client.request("room.list", limit=0, seconds=30) for _ in range(150)]
        codes = {reply["error"]["code"] for reply in await asyncio.gather(*asked)}
        assert codes == {"invalid", "rate_limited"}


async def test_visits_make_rooms_at_the_rate_of_making_rooms(limited_playground: Server) -> None:
    """Where a room comes into being by its first visit, that is no way around `room.create`."""
    async with await Client.connect(limited_playground.ws) as guest:
        replies = [await guest.request("room.subscribe", room=f"by-socket-{n}") for n in range(120)]
        refused = [reply for reply in replies if not reply["ok"]]
        assert replies[0]["ok"]
        assert 10 <= len(refused) <= 60
        for reply in refused:
            assert check_error(reply, "rate_limited")["retry_after"] > 0
        assert await guest.refused("history.list", room="by-socket-119") == "not_found"
        # A room that is there can be entered as before.
        await guest.cmd("room.subscribe", room="by-socket-0")


def test_a_page_makes_rooms_at_that_rate_too(limited_playground: Server) -> None:
    browser = Browser(limited_playground.url)
    answers = [browser.get(f"/chat/by-page-{n}/").status for n in range(120)]
    assert set(answers) == {200, 404}
    assert 10 <= answers.count(404) <= 60
    assert browser.get("/chat/by-page-0/").status == 200
