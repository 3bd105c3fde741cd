"""A new name reaches everybody who may hear of it, with Redis away as well."""

from __future__ import annotations

import pytest

from tertulia.testing.client import Client
from tertulia.testing.services import Redis
from tests.support.browser import Browser

from .conftest import Make

PASSWORD = "a quiet warm room"


@pytest.mark.parametrize("mode", ["scaled", "scaled-core"])
async def test_a_new_name_without_redis(make: Make, own_redis: Redis, mode: str) -> None:
    installation = make(mode)
    here, there = installation.here, installation.there
    here.createuser("ana", password=PASSWORD)
    ana = Browser(here.url)
    ana.sign_in("ana", PASSWORD)
    ((_, token),) = there.people(1)
    async with (
        await Client.connect(here.ws, cookie=ana.cookie, origin=ana.origin) as one,
        await Client.connect(there.ws, cookie=ana.cookie, origin=there.url) as other,
        await Client.connect(there.ws, token=token) as bea,
    ):
        room = await one.create("A room", "private", members=[bea.id])
        await bea.subscribe(room)
        own_redis.kill9()
        form = {"name": "Ana María", "language": "", "time_zone": ""}
        ana.submit("/chat/-/settings/", form)
        for client, where in ((one, None), (other, None), (bea, room)):
            frame = await client.expect("person.changed", room=where)
            assert frame["who"]["name"] == "Ana María"
        await other.say(room, "hola")
        said = await bea.expect("message.created", room=room)
        assert said["message"]["author"]["name"] == "Ana María"
