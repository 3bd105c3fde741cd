"""Statement 3: nobody outlives his sign-out, his password or his account by a millisecond's luck.

Sockets are opened at steps of a millisecond about the moment at which access ends, and each says
something as often as it can. What must be so afterwards: every one of them is closed, none was
heard after that, and the same credentials open nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from tertulia.testing.client import Client, Closed, new_key
from tertulia.testing.installation import Installation
from tertulia.testing.server import Server
from tertulia.testing.services import Redis
from tests.faults.conftest import Make
from tests.support.browser import Answer
from tests.support.traced import showing

from .web import Visitor, sessions

OLD, NEW = "a quiet warm room", "another quiet room"
# From so many milliseconds before the end of access to so many after it.
BEFORE, AFTER = 5, 10
PAUSE = 0.1  # between two messages of one socket
# Well below the twenty seconds after which every session and token is looked at anyhow.
PATIENCE = 8.0
PREPARE = """
from django.contrib.auth import get_user_model
users = get_user_model().objects
users.filter(username={admin!r}).update(is_staff=True, is_superuser=True)
changes = users.get(username={changes!r})
changes.set_password({password!r})
changes.save()
"""


@dataclass
class People:
    """Tokens and sessions of those who lose access, and of the administrator who takes it."""

    admin: str
    leaves: list[str]
    changes: list[str]
    gone: list[str]
    gone_token: str
    gone_name: str
    gone_pk: int
    admin_token: str


def prepared(server: Server) -> People:
    """One look into the database for all of them."""
    (admin, admins), (leaves, _), (changes, _), (gone, gone_token) = server.people(4)
    before = PREPARE.format(admin=admin, changes=changes, password=OLD)
    wanted = {admin: 1, leaves: 4, changes: 2, gone: 1}
    made = sessions(server, wanted, before)
    code = "from django.contrib.auth import get_user_model as g; "
    code += f"print(g().objects.get(username={gone!r}).pk)"
    return People(
        admin=made[admin][0],
        leaves=made[leaves],
        changes=made[changes],
        gone=made[gone],
        gone_token=gone_token,
        gone_name=gone,
        gone_pk=int(server.shell(code).strip().splitlines()[-1]),
        admin_token=admins,
    )


class Race:
    """Sockets of one person, opened while his access ends."""

    def __init__(self, server: Server, hows: list[dict[str, Any]], room: str) -> None:
        self.server = server
        self.hows = hows
        self.room = room
        # When the end of its socket was seen, of every message by its key.
        self.ends: dict[str, datetime] = {}
        self.talking = asyncio.Event()

    async def run(self, act: Callable[[], Answer]) -> None:
        """`act` ends the access, in a thread; returns when every socket has come to its end."""
        # Some are in the middle of it already.
        opening = [asyncio.create_task(self._open(0)) for _ in self.hows]
        await asyncio.wait_for(self.talking.wait(), PATIENCE)
        opening += [asyncio.create_task(self._open(step)) for step in range(BEFORE + AFTER)]
        await asyncio.sleep(BEFORE / 1000)
        answer = await asyncio.to_thread(act)
        assert answer.status == 302, (answer.status, answer.text[:2000])
        ends = await asyncio.gather(*opening)
        assert set(ends) <= {4401, "nobody"}, ends

    async def _open(self, step: int) -> int | str | None:
        """`nobody`, or the code with which the server closed it."""
        await asyncio.sleep(step / 1000)
        return await asyncio.wait_for(self._say(self.hows[step % len(self.hows)]), PATIENCE)

    async def _say(self, how: dict[str, Any]) -> int | str | None:
        client = await Client.connect(self.server.ws, welcome=False, **how)
        keys = []
        try:
            while True:
                keys.append(new_key())
                said: dict[str, Any] = {"room": self.room, "key": keys[-1], "text": "still here"}
                reply = await client.request("message.send", **said)
                if not reply["ok"]:
                    assert reply["error"]["code"] == "unauthenticated", reply
                    return "nobody"
                self.talking.set()
                await asyncio.sleep(PAUSE)
        except Closed as closed:
            self.ends |= dict.fromkeys(keys, datetime.now(UTC))
            return closed.code
        finally:
            await client.close()

    async def is_nobody(self) -> bool:
        """The same credentials, now."""
        ends = [await asyncio.wait_for(self._say(how), PATIENCE) for how in self.hows]
        return set(ends) <= {4401, "nobody"}


async def raced(
    people: People, server: Server, hows: list[dict[str, Any]], act: Callable[[], Answer]
) -> None:
    """Race, and look whether anything was said afterwards."""
    async with (
        await Client.connect(server.ws, token=people.admin_token) as keeper,
        # Somebody must let him in: he is a member already when the race begins.
        await Client.connect(server.ws, **hows[0]) as first,
    ):
        room = await keeper.create("Race", "private", members=[first.id])
        race = Race(server, hows + [await returning(server, how) for how in hows], room)
        await race.run(act)
        assert (await first.closing(PATIENCE)).code == 4401
        assert await race.is_nobody()
        # What is written is written in its turn: this comes behind all that was sent before.
        await keeper.say(room, "alone")
        said = await everything(keeper, room)
        for message in said:
            ended = race.ends.get(message["key"])
            assert ended is None or datetime.fromisoformat(message["sent_at"]) <= ended, message
        assert len(said) > 1, "nobody said anything: nothing was raced"


async def returning(server: Server, how: dict[str, Any]) -> dict[str, Any]:
    """The same credentials with a connect token beside them."""
    async with await Client.connect(server.ws, **how, **showing("")) as client:
        return {**how, **showing(client.welcome["connect"])}


async def everything(client: Client, room: str) -> list[dict[str, Any]]:
    """All messages of a room."""
    found: list[dict[str, Any]] = []
    while True:
        after = found[-1]["seq"] if found else 0
        page = await client.cmd("history.list", room=room, after=after, limit=100)
        found += page["messages"]
        if not page["more_after"]:
            return found


def by_cookie(server: Server, session: str) -> dict[str, Any]:
    return {"cookie": f"sessionid={session}", "origin": server.url}


class Ends:
    """The ways in which access ends, asked of one server while the sockets are at another."""

    def __init__(self, people: People, asked: Server, at: Server) -> None:
        self.people = people
        self.asked = asked
        self.at = at

    async def signing_out(self, number: int) -> None:
        session = self.people.leaves[number]
        hows = [by_cookie(self.at, session)]
        with Visitor(self.asked, session) as visitor:
            await raced(
                *(self.people, self.at, hows), lambda: visitor.ask("POST", "/accounts/logout/")
            )

    async def another_password(self) -> None:
        """Changed in one session; the sockets are of the other."""
        changing, other = self.people.changes
        form = {"old_password": OLD, "new_password1": NEW, "new_password2": NEW}
        with Visitor(self.asked, changing) as visitor:
            await raced(
                *(self.people, self.at, [by_cookie(self.at, other)]),
                lambda: visitor.ask("POST", "/accounts/password/", form=form),
            )

    async def deactivation(self) -> None:
        """In the administration; the sockets came by cookie and by token."""
        people = self.people
        form = {
            "username": people.gone_name, "date_joined_0": "2026-01-01",
            "date_joined_1": "00:00:00", "first_name": "", "last_name": "", "email": "",
            "_save": "Save",
        }  # fmt: skip
        hows = [by_cookie(self.at, people.gone[0]), {"token": people.gone_token}]
        page = f"/admin/auth/user/{people.gone_pk}/change/"
        with Visitor(self.asked, people.admin) as visitor:
            await raced(*(people, self.at, hows), lambda: visitor.ask("POST", page, form=form))


@pytest.fixture(scope="module")
def ends(embedded: Server) -> Ends:
    return Ends(prepared(embedded), embedded, embedded)


async def test_signing_out_raced_by_opening_sockets(ends: Ends) -> None:
    for number in range(3):
        await ends.signing_out(number)


async def test_another_password_raced_by_opening_sockets(ends: Ends) -> None:
    await ends.another_password()


async def test_deactivation_raced_by_opening_sockets(ends: Ends) -> None:
    await ends.deactivation()


async def test_the_same_at_another_process_while_redis_is_away(
    make: Make, own_redis: Redis
) -> None:
    installation: Installation = make("scaled")
    people = prepared(installation.here)
    own_redis.kill9()
    ends = Ends(people, installation.here, installation.there)
    await ends.signing_out(0)
    await ends.another_password()
    await ends.deactivation()


async def test_a_guest_token_is_nobody_where_guests_are_not_admitted(embedded: Server) -> None:
    """Of the same installation, from when it was a playground."""
    code = "from tertulia.chat.people import guest_token, new_guest; "
    code += "print(guest_token(new_guest().public_id))"
    token = embedded.shell(code).strip().splitlines()[-1]
    hows: list[dict[str, Any]] = [{"auth": token}, {"token": token}]
    for how in hows:
        with pytest.raises(Closed) as refused:
            await Client.connect(embedded.ws, **how)
        assert refused.value.code == 4401
