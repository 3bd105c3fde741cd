"""Coming back by a connect token: it spares every question; what it does not know is asked soon.

The server under test writes down each SQL statement, so that a connection which was let in by its
token can be told from one that was asked about.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tertulia.testing.client import Client
from tests.security.web import Visitor
from tests.support.traced import Traced, is_nobody, showing

PAGE = re.compile(r'<script id="tertulia-page" type="application/json">(.*?)</script>', re.DOTALL)
# Well below the twenty seconds after which every session and token is looked at anyhow.
PATIENCE = 8.0


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    made = Traced(tmp_path_factory.mktemp("trace"))
    yield made
    made.server.remove()


@pytest.fixture(scope="module")
def guests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    made = Traced(tmp_path_factory.mktemp("trace"), open=True)
    yield made
    made.server.remove()


# What it spares


async def test_without_a_token_a_bearer_is_one_question(traced: Traced) -> None:
    _, bearer = traced.person()
    assert len(await traced.asked(**bearer)) == 1


async def test_without_a_token_a_session_is_three_questions_and_one_for_the_mark(
    traced: Traced,
) -> None:
    _, _, cookie = traced.browser()
    assert len(await traced.asked(**cookie)) == 3


async def test_with_it_nothing_is_asked_of_a_bearer(traced: Traced) -> None:
    _, bearer = traced.person()
    token = await traced.token(**bearer)
    assert await traced.asked(**bearer, **showing(token)) == []


async def test_with_it_nothing_is_asked_of_a_session(traced: Traced) -> None:
    name, _, cookie = traced.browser()
    token = await traced.token(**cookie)
    assert await traced.asked(**cookie, **showing(token)) == []
    async with await Client.connect(traced.server.ws, **cookie, **showing(token)) as client:
        assert client.name == name
        assert client.socket.subprotocol == "tertulia.v1"


async def test_with_it_nothing_is_asked_of_who_speaks_by_auth(traced: Traced) -> None:
    _, bearer = traced.person()
    async with await Client.connect(traced.server.ws, welcome=False) as client:
        await client.send({"type": "auth", "token": bearer["token"], "connect": ""})
        token = (await client.expect("welcome"))["connect"]
    assert await traced.asked(auth=bearer["token"], **showing(token)) == []
    async with await Client.connect(traced.server.ws, welcome=False) as client:
        await client.send({"type": "auth", "token": bearer["token"], "connect": token})
        assert (await client.expect("welcome"))["connect"]


async def test_a_page_brings_the_token_of_its_first_connection(traced: Traced) -> None:
    _, session, cookie = traced.browser()
    with Visitor(traced.server, session) as visitor:
        found = PAGE.search(visitor.get("/chat/").text)
    assert found is not None
    token = json.loads(found[1])["connect"]
    assert await traced.asked(**cookie, **showing(token)) == []


async def test_it_outlives_a_restart_of_the_server(traced: Traced) -> None:
    _, bearer = traced.person()
    token = await traced.token(**bearer)
    await asyncio.to_thread(traced.server.restart)
    assert await traced.asked(**bearer, **showing(token)) == []


async def test_now_and_then_the_server_asks_all_the_same(traced: Traced) -> None:
    """A host's way of signing in may have rules that tell nobody."""
    _, bearer = traced.person()
    token = await traced.token(**bearer)
    for _ in range(8):
        token = await traced.token(token, **bearer)
    assert len(await traced.asked(**bearer, **showing(token))) == 1
    token = await traced.token(token, **bearer)
    assert await traced.asked(**bearer, **showing(token)) == []


async def test_a_client_that_does_not_ask_for_one_is_given_none(traced: Traced) -> None:
    _, bearer = traced.person()
    async with await Client.connect(traced.server.ws, **bearer) as client:
        assert "connect" not in client.welcome


# What it does not know is asked soon


async def test_news_of_rooms_come_from_the_welcome_on(traced: Traced) -> None:
    """Which rooms are his is read after the welcome; nothing is missed meanwhile."""
    (_, ana), (_, bea) = traced.person(), traced.person()
    async with await Client.connect(traced.server.ws, **bea) as writer:
        async with await Client.connect(traced.server.ws, **ana, **showing("")) as first:
            room = await writer.create("News", "private", members=[first.id])
            token = first.welcome["connect"]
        await asyncio.sleep(1.1)  # the pace of `room.activity`
        async with await Client.connect(traced.server.ws, **ana, **showing(token)) as second:
            said = await writer.say(room, "hola")
            activity = await second.expect("room.activity", room=room)
            assert activity["head"] == said["seq"]
            # And only once, however late his rooms were known.
            await second.silence(lambda frame: frame["type"] == "room.activity")


async def test_who_has_read_a_direct_room_is_told_from_the_welcome_on(traced: Traced) -> None:
    (_, first_bearer), (_, bearer) = traced.person(), traced.person()
    token = await traced.token(**bearer)
    async with (
        await Client.connect(traced.server.ws, **first_bearer) as first,
        await Client.connect(traced.server.ws, **bearer) as before,
    ):
        room = await first.create("", "direct", members=[before.id])
        said = await before.say(room, "read me")
        await before.close()
        async with await Client.connect(traced.server.ws, **bearer, **showing(token)) as second:
            await first.cmd("read.mark", room=room, seq=said["seq"])
            told = await second.expect("read.changed", room=room)
            assert (told["read"], told["who"]["id"]) == (said["seq"], first.id)


async def test_news_of_a_room_that_is_not_his_stay_away(traced: Traced) -> None:
    (_, ana), (_, bea) = traced.person(), traced.person()
    token = await traced.token(**ana)
    async with await Client.connect(traced.server.ws, **bea) as writer:
        room = await writer.create("Not for Ana", "private")
        async with await Client.connect(traced.server.ws, **ana, **showing(token)) as other:
            await writer.say(room, "hola")
            await other.silence(lambda frame: frame.get("room") == room)


async def test_a_session_that_was_deleted_in_the_database_ends_soon(traced: Traced) -> None:
    _, session, cookie = traced.browser()
    token = await traced.token(**cookie)
    code = "from django.contrib.sessions.models import Session; "
    traced.server.shell(code + f"Session.objects.filter(pk={session!r}).delete()")
    async with await Client.connect(traced.server.ws, **cookie, **showing(token)) as client:
        assert (await client.closing(PATIENCE)).code == 4401


async def test_a_bearer_token_that_was_deleted_in_the_database_ends_soon(traced: Traced) -> None:
    name, bearer = traced.person()
    token = await traced.token(**bearer)
    traced.server.shell(
        "from tertulia.chat.models import Token; "
        f"rows = Token.objects.filter(participant__name={name!r}); rows._raw_delete(rows.db)"
    )
    async with await Client.connect(traced.server.ws, **bearer, **showing(token)) as client:
        assert (await client.closing(PATIENCE)).code == 4401


async def test_an_account_that_was_deactivated_in_the_database_ends_soon(traced: Traced) -> None:
    name, _, cookie = traced.browser()
    token = await traced.token(**cookie)
    code = "from django.contrib.auth import get_user_model as g; "
    code += f"g().objects.filter(username={name!r}).update(is_active=False)"
    traced.server.shell(code)
    async with await Client.connect(traced.server.ws, **cookie, **showing(token)) as client:
        assert (await client.closing(PATIENCE)).code == 4401


async def test_a_name_that_was_changed_in_the_database_is_told(traced: Traced) -> None:
    name, bearer = traced.person()
    token = await traced.token(**bearer)
    code = "from tertulia.chat.models import Participant; "
    traced.server.shell(code + f"Participant.objects.filter(name={name!r}).update(name='Other')")
    async with await Client.connect(traced.server.ws, **bearer, **showing(token)) as client:
        changed = await client.expect("person.changed", PATIENCE)
        assert changed["who"]["name"] == "Other"


# Guests


async def test_a_guest_comes_back_by_it(guests: Traced) -> None:
    async with await Client.connect(guests.server.ws, **showing("")) as client:
        welcome = client.welcome
    auth, how = welcome["guest_token"], showing(welcome["connect"])
    async with await Client.connect(guests.server.ws, welcome=False, **how) as client:
        # Who brings nothing else is a new guest: the token alone says nothing.
        assert (await client.expect("welcome"))["me"]["id"] != welcome["me"]["id"]
        before = guests.trace.stat().st_size
        await client.send({"type": "auth", "token": auth, "connect": welcome["connect"]})
        again = await client.expect("welcome")
        assert again["me"] == welcome["me"]
        assert guests.asked_since(before) == []


async def test_where_guests_are_not_admitted_any_more_it_is_nobody(
    guests: Traced, tmp_path: Path
) -> None:
    with Visitor(guests.server) as visitor:
        answer = visitor.get("/chat/")
        session = re.findall(r"sessionid=(\w+)", answer.headers["set-cookie"])[0]
    token = await guests.token(**guests.by_cookie(session))
    closed = Traced(tmp_path, data=guests.server.data)
    try:
        await is_nobody(closed.server, **closed.by_cookie(session), **showing(token))
    finally:
        closed.server.remove()
