"""The playground of `serve --open`: guests, and rooms that come into being."""

from __future__ import annotations

import re

from tertulia.testing.client import Client
from tertulia.testing.server import Server
from tests.support.classic import ClassicClient
from tests.support.shapes import check_person

GUEST = re.compile(r"guest-[0-9a-z]{4,}")


async def visit(server: Server, room: str) -> ClassicClient:
    """As a browser comes without any cookie."""
    return await ClassicClient.connect(server.ws, room, origin=server.url)


async def test_a_guest_gets_welcome_at_once_and_a_token(playground: Server) -> None:
    async with await Client.connect(playground.ws) as guest:
        check_person(guest.welcome["me"])
        assert guest.welcome["me"]["kind"] == "guest"
        assert GUEST.fullmatch(guest.name)
        assert isinstance(guest.welcome["guest_token"], str)


async def test_a_guest_comes_back_as_himself(playground: Server) -> None:
    async with await Client.connect(playground.ws) as guest:
        me, token = guest.welcome["me"], guest.welcome["guest_token"]
    async with await Client.connect(playground.ws) as again:
        assert again.welcome["me"] != me
        await again.send({"type": "auth", "token": token})
        assert (await again.expect("welcome"))["me"] == me


async def test_a_guest_signs_in_and_is_somebody_else(playground: Server) -> None:
    ((name, token),) = playground.people(1, batch=5)
    async with await Client.connect(playground.ws) as guest:
        await guest.send({"type": "auth", "token": token})
        me = (await guest.expect("welcome"))["me"]
        assert (me["name"], me["kind"]) == (name, "member")


async def test_two_guests_are_two_people(playground: Server) -> None:
    async with (
        await Client.connect(playground.ws) as first,
        await Client.connect(playground.ws) as second,
    ):
        assert first.id != second.id
        assert first.name != second.name


async def test_a_room_comes_into_being_when_subscribed_to(playground: Server) -> None:
    async with await Client.connect(playground.ws) as guest:
        result = await guest.subscribe("made-by-subscribing")
        assert result["state"]["kind"] == "public"
        await guest.cmd("room.join", room="made-by-subscribing")
        await guest.say("made-by-subscribing", "first word")


async def test_a_room_comes_into_being_on_a_classic_address(playground: Server) -> None:
    client = await visit(playground, "made-by-classic")
    async with client:
        await client.say("first word")
        heard = await client.hears("first word")
        assert GUEST.fullmatch(heard["username"])
        assert heard["room"] == "made-by-classic"


async def test_a_room_comes_into_being_by_its_page(playground: Server) -> None:
    assert playground.status("/chat/made-by-page/") == 200
    async with await Client.connect(playground.ws) as guest:
        await guest.cmd("history.list", room="made-by-page", after=0)


async def test_other_commands_make_no_room(playground: Server) -> None:
    async with await Client.connect(playground.ws) as guest:
        for command in ("room.join", "history.list", "member.list", "typing.start"):
            assert await guest.refused(command, room=f"not-by-{command[:4]}") == "not_found"


async def test_guests_of_both_protocols_talk(playground: Server) -> None:
    room = "both-kinds"
    client = await visit(playground, room)
    async with client, await Client.connect(playground.ws) as guest:
        await guest.subscribe(room)
        await guest.cmd("room.join", room=room)
        await client.say("hola")
        event = await guest.expect("message.created")
        assert event["actor"]["kind"] == "guest"
        await client.hears("hola")
        await guest.say(room, "buenas")
        heard = await client.hears("buenas")
        assert heard["username"] == guest.name


async def test_ten_visitors_at_once_make_one_room(playground: Server) -> None:
    room = "all-at-once"
    clients = [await visit(playground, room) for _ in range(10)]
    try:
        await clients[0].say("hola")
        seqs = {(await client.hears("hola"))["seq"] for client in clients}
        assert len(seqs) == 1
    finally:
        for client in clients:
            await client.close()


async def test_a_classic_address_without_origin_needs_a_token_here_too(
    playground: Server,
) -> None:
    client = await ClassicClient.connect(playground.ws, "lobby")
    async with client:
        assert (await client.closing()).code == 4401


async def test_where_guests_are_not_admitted_a_page_without_a_session_is_closed(
    embedded: Server,
) -> None:
    client = await visit(embedded, "lobby")
    async with client:
        assert (await client.closing()).code == 4401
