"""Losing access: signed out, another password, deactivated, removed."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from tertulia.testing.client import Client, Closed
from tertulia.testing.server import Server
from tests.support.browser import Browser
from tests.support.people import Person

PASSWORD = "a quiet warm room"
USER = "from django.contrib.auth import get_user_model as g; u = g().objects.get(username={!r}); "


def signed_in(server: Server, name: str) -> Browser:
    server.createuser(name, password=PASSWORD)
    browser = Browser(server.url)
    browser.sign_in(name, PASSWORD)
    assert browser.signed_in
    return browser


async def by_cookie(server: Server, browser: Browser) -> Client:
    return await Client.connect(server.ws, cookie=browser.cookie, origin=browser.origin)


async def closes_in_time(client: Client, act: Callable[[], object]) -> float:
    """Do it in a thread; the socket must be closed with 4401 within 2 s after it is done."""
    await asyncio.to_thread(act)
    done = time.monotonic()
    closed = await client.closing(5)
    assert closed.code == 4401
    took = time.monotonic() - done
    assert took < 2
    return took


async def test_signing_out_closes_the_sockets(embedded: Server) -> None:
    browser = signed_in(embedded, "goes-out")
    client = await by_cookie(embedded, browser)
    await closes_in_time(client, lambda: browser.submit("/chat/", {}, action="/accounts/logout/"))
    assert (await refused_welcome(embedded, cookie=browser.cookie)) is True


async def refused_welcome(server: Server, **how: Any) -> bool:
    """True if nobody is recognised by these credentials."""
    client = await Client.connect(server.ws, welcome=False, origin=server.url, **how)
    async with client:
        try:
            return await client.refused("room.list") == "unauthenticated"
        except Closed as closed:
            return closed.code == 4401


async def test_a_changed_password_closes_the_sockets(embedded: Server) -> None:
    browser = signed_in(embedded, "changes")
    client = await by_cookie(embedded, browser)
    code = USER.format("changes") + "u.set_password('another quiet room'); u.save()"
    await closes_in_time(client, lambda: embedded.shell(code))
    assert await refused_welcome(embedded, cookie=browser.cookie)


async def test_deactivation_closes_the_sockets_and_bars_new_ones(embedded: Server) -> None:
    browser = signed_in(embedded, "is-put-out")
    token = embedded.token("is-put-out")
    client, other = (
        await by_cookie(embedded, browser),
        await Client.connect(embedded.ws, token=token),
    )
    code = USER.format("is-put-out") + "u.is_active = False; u.save()"
    await closes_in_time(client, lambda: embedded.shell(code))
    assert (await other.closing(2)).code == 4401
    assert await refused_welcome(embedded, cookie=browser.cookie)
    with pytest.raises(Closed) as closed:
        await Client.connect(embedded.ws, token=token)
    assert closed.value.code == 4401
    with pytest.raises(Closed) as closed:
        await Client.connect(embedded.ws, auth=token)
    assert closed.value.code == 4401


async def test_deactivation_through_the_administration(embedded: Server) -> None:
    embedded.createuser("the-admin", admin=True, password=PASSWORD)
    admin = Browser(embedded.url)
    admin.sign_in("the-admin", PASSWORD)
    ((name, token),) = embedded.people(1)
    client = await Client.connect(embedded.ws, token=token)
    found = admin.get(f"/admin/auth/user/?q={name}")
    match = re.search(r"/admin/auth/user/\d+/change/", found.text)
    assert match, "the administration does not list the person"
    page = match.group()
    form = {
        "username": name, "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00",
        "first_name": "", "last_name": "", "email": "", "_save": "Save",
    }  # fmt: skip
    await closes_in_time(client, lambda: admin.submit(page, form))


async def test_the_others_stay(embedded: Server, ana: Person) -> None:
    browser = signed_in(embedded, "goes-alone")
    leaving, staying = await by_cookie(embedded, browser), await ana.connect()
    await closes_in_time(leaving, lambda: browser.submit("/chat/", {}, action="/accounts/logout/"))
    await staying.cmd("ping")


async def test_removal_from_a_private_room_ends_its_events(private: Any) -> None:
    fields = {"room": private.room, "member": private.bea.id}
    removal = (await private.ana.cmd("member.remove", **fields))["event"]
    await private.bea.expect("room.left")
    for number in range(5):
        await private.ana.say(private.room, f"without Bea {number}")
    await private.bea.silence(lambda f: f.get("room") == private.room and f.get("seq", 0) > removal)
    assert max(e["seq"] for e in private.bea.events) <= removal
    assert await private.bea.refused("room.subscribe", room=private.room) == "not_found"
    assert await private.bea.refused("history.list", room=private.room, after=0) == "not_found"


async def test_leaving_a_private_room_ends_its_events(private: Any) -> None:
    left = (await private.bea.cmd("room.leave", room=private.room))["event"]
    await private.ana.say(private.room, "without Bea")
    await private.bea.silence(lambda f: f.get("room") == private.room and f.get("seq", 0) > left)


async def test_a_removed_member_gets_no_passing_events_either(private: Any) -> None:
    fields = {"room": private.room, "member": private.bea.id}
    await private.ana.cmd("member.remove", **fields)
    await private.bea.expect("room.left")
    private.bea.inbox.clear()
    await private.ana.cmd("typing.start", room=private.room)
    await private.ana.say(private.room, "hm")
    # The removal itself may come behind the notice of it.
    await private.bea.silence(
        lambda f: f.get("room") == private.room and f["type"] != "member.left", 1.5
    )


async def test_who_comes_back_hears_again_after_subscribing(private: Any) -> None:
    fields = {"room": private.room, "member": private.bea.id}
    await private.ana.cmd("member.remove", **fields)
    await private.bea.expect("room.left")
    missed = await private.ana.say(private.room, "meanwhile")
    await private.ana.cmd("member.add", **fields)
    view = private.bea.views[private.room]
    await private.bea.resume(private.room, view)
    assert missed["seq"] in private.bea.views[private.room].messages
    sent = await private.ana.say(private.room, "welcome back")
    await private.bea.reached(private.room, sent["seq"])


async def test_removal_from_a_public_room_leaves_reading(talk: Any) -> None:
    await talk.ana.cmd("member.remove", room=talk.room, member=talk.bea.id)
    await talk.bea.expect("room.left")
    await talk.bea.cmd("history.list", room=talk.room, after=0)
    await talk.bea.cmd("room.subscribe", room=talk.room)


async def test_a_token_taken_away_closes_its_own_sockets_only(embedded: Server) -> None:
    ((name, first),) = embedded.people(1)
    second = await asyncio.to_thread(embedded.token, name)
    gone = await Client.connect(embedded.ws, token=first)
    async with await Client.connect(embedded.ws, token=second) as staying:
        code = (
            "from tertulia.chat.models import Token; "
            f"Token.objects.filter(participant__name={name!r}).order_by('pk').first().delete()"
        )
        await closes_in_time(gone, lambda: embedded.shell(code))
        await staying.cmd("ping")


async def test_a_connection_that_vanished_while_subscribing_is_not_here(
    talk: Any, eve: Person
) -> None:
    for _ in range(5):
        client = await eve.connect()
        await client.send({"type": "room.subscribe", "ref": 1, "room": talk.room})
        await client.vanish()
    visitor = await eve.connect()
    visitor_id = visitor.id
    await visitor.close()
    tab = await eve.connect()
    await tab.subscribe(talk.room)
    await talk.ana.find(
        lambda f: (
            f["type"] == "presence.changed" and visitor_id in [person["id"] for person in f["here"]]
        )
    )
    await tab.close()
    await talk.ana.find(
        lambda f: (
            f["type"] == "presence.changed"
            and sorted(person["id"] for person in f["here"]) == sorted([talk.ana.id, talk.bea.id])
        )
    )
