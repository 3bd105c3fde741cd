"""The first frame, and the ways to say who speaks."""

from __future__ import annotations

from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tertulia.testing.client import Client, Closed, open_socket
from tertulia.testing.server import Server
from tests.support.people import Person
from tests.support.shapes import check_error, check_person


async def test_welcome_says_who_where_and_how_much(ana: Person) -> None:
    client = await ana.connect()
    assert set(client.welcome) == {"type", "protocol", "epoch", "me", "heartbeat", "limits"}
    assert client.welcome["protocol"] == 1
    assert client.welcome["heartbeat"] == 25
    assert client.welcome["limits"] == {
        "frame": 131072, "text": 10000, "page": 100, "resume": 500
    }  # fmt: skip
    check_person(client.welcome["me"])
    assert client.welcome["me"]["name"] == ana.name
    assert client.welcome["me"]["kind"] == "member"


async def test_welcome_is_the_first_frame(ana: Person) -> None:
    client = await ana.connect()
    assert client.frames[0]["type"] == "welcome"


async def test_everybody_is_told_the_same_epoch(ana: Person, bea: Person) -> None:
    assert (await ana.connect()).welcome["epoch"] == (await bea.connect()).welcome["epoch"]


async def test_the_subprotocol_is_agreed_on_when_offered(ana: Person) -> None:
    client = await ana.connect(token=ana.token, subprotocols=["other", "tertulia.v1"])
    assert client.socket.subprotocol == "tertulia.v1"


async def test_the_subprotocol_is_optional(ana: Person) -> None:
    client = await ana.connect()
    assert client.socket.subprotocol is None


async def test_a_token_in_the_first_frame(ana: Person) -> None:
    client = await ana.connect(auth=ana.token)
    assert client.welcome["me"]["name"] == ana.name


async def test_a_wrong_bearer_token_is_accepted_and_closed_with_4401(embedded: Server) -> None:
    with pytest.raises(Closed) as closed:
        await Client.connect(embedded.ws, token="wrong")
    assert closed.value.code == 4401


async def test_a_wrong_token_in_the_first_frame_is_closed_with_4401(embedded: Server) -> None:
    with pytest.raises(Closed) as closed:
        await Client.connect(embedded.ws, auth="wrong")
    assert closed.value.code == 4401


async def test_a_token_in_the_address_is_nobody(ana: Person) -> None:
    client = await Client.connect(ana.server.ws, path=f"/ws/?token={ana.token}", welcome=False)
    async with client:
        check_error(await client.request("ping"), "unauthenticated")


async def test_commands_before_auth_are_unauthenticated_and_auth_still_works(ana: Person) -> None:
    async with await Client.connect(ana.server.ws, welcome=False) as client:
        check_error(await client.request("room.list"), "unauthenticated")
        await client.send({"type": "auth", "token": ana.token})
        welcome = await client.expect("welcome")
        assert welcome["me"]["name"] == ana.name
        await client.cmd("room.list")


async def test_no_welcome_comes_without_a_sign_of_who_speaks(embedded: Server) -> None:
    async with await Client.connect(embedded.ws, welcome=False) as client:
        with pytest.raises(TimeoutError):
            await client.expect("welcome", seconds=0.7)


async def test_a_later_auth_changes_who_speaks(ana: Person, bea: Person) -> None:
    client = await ana.connect()
    await client.send({"type": "auth", "token": bea.token})
    assert (await client.expect("welcome"))["me"]["name"] == bea.name
    room = await client.create("Whose room is this")
    members = (await client.cmd("member.list", room=room))["members"]
    assert [m["name"] for m in members] == [bea.name]


async def test_a_later_auth_ends_the_subscriptions_of_the_former(ana: Person, bea: Person) -> None:
    client, other = await ana.connect(), await ana.connect()
    room = await client.create("Only for Ana", "private")
    await client.subscribe(room)
    await client.send({"type": "auth", "token": bea.token})
    await client.expect("welcome")
    await other.say(room, "not for Bea")
    await client.silence(lambda f: f.get("room") == room and f["type"] == "message.created")


async def test_an_unknown_address_is_refused_before_the_upgrade(embedded: Server) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await open_socket(embedded.ws + "/nowhere/at/all/")
    assert 400 <= refused.value.response.status_code < 500


async def test_a_wrong_header_scheme_is_no_token(ana: Person) -> None:
    headers = {"Authorization": f"Basic {ana.token}"}
    client = await Client.connect(ana.server.ws, welcome=False, headers=headers)
    async with client:
        with pytest.raises((Closed, TimeoutError)):
            await client.expect("welcome", seconds=0.7)


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "message.send"},
        {"type": "room.list", "limit": 0},
        {"type": "no.such.command"},
        {"type": "ping"},
    ],
    ids=lambda frame: str(frame["type"]),
)
async def test_any_command_before_auth_is_unauthenticated(
    embedded: Server, frame: dict[str, Any]
) -> None:
    async with await Client.connect(embedded.ws, welcome=False) as client:
        check_error(await client.raw({**frame, "ref": 1}, 1), "unauthenticated")


async def test_what_was_asked_for_before_a_later_auth_is_not_the_others(
    ana: Person, bea: Person
) -> None:
    """A subscription and an auth as somebody else in one breath: the second hears nothing."""
    client, writer = await ana.connect(), await ana.connect()
    for _ in range(10):
        room = await writer.create("Only for Ana", "private")
        await client.send({"type": "room.subscribe", "ref": "sub", "room": room})
        await client.send({"type": "auth", "token": bea.token})
        await client.expect("welcome")
        await writer.say(room, "not for Bea")
        await client.cmd("ping")
        await client.silence(
            lambda f, room=room: f["type"] == "message.created" and f["room"] == room, 0.2
        )
        await client.send({"type": "auth", "token": ana.token})
        await client.expect("welcome")
