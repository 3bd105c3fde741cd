"""Clocks that jump by an hour, under running servers: libfaketime stands before the C library.

Only the wall clock jumps (FAKETIME_DONT_FAKE_MONOTONIC), as when somebody sets it or NTP does: the
kernel's monotonic clock, by which event loops keep their timers, never does.
"""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from glob import glob

from ..client import Client, Refused
from ..installation import Installation
from ..server import Server
from ..services import Missing
from ..storm import Storm
from .registry import fault
from .stage import Stage

HOUR = 3600
# Seconds until a process has noticed that its clock was set: libfaketime reads the file again in
# the whole second behind the one after it last did.
NOTICED = 2.0
# Where Debian, Fedora and a build of one's own put it; the one for programs with threads.
PLACES = tuple(f"/usr/{place}/faketime" for place in ("lib/*", "lib64", "lib", "local/lib"))
# Seconds by which a message's time may differ from its server's clock: what sending takes, mostly.
CLOSE = 2.0
# Messages that a person may send at once, and in a second (docs/protocol.md, RATES).
AT_ONCE = 300

_SIGN_IN = """
from django.contrib.auth import get_user_model
from django.test import Client
client = Client()
client.force_login(get_user_model().objects.get(username={name!r}))
print(client.cookies["sessionid"].value)
"""
_DEACTIVATE = """
import time
from django.contrib.auth import get_user_model
person = get_user_model().objects.get(username={name!r})
person.is_active = False
began = time.monotonic()
person.save()
print(began)
"""


def library() -> str:
    """The path of libfaketime. Raises Missing."""
    for place in PLACES:
        for name in ("libfaketimeMT.so.1", "libfaketime.so.1"):
            if found := glob(f"{place}/{name}"):
                return found[0]
    raise Missing("libfaketime is not installed (Debian's package: faketime)")


class Clock:
    """The wall clock of one server; `set(seconds)` puts it so far off the true one."""

    def __init__(self, server: Server) -> None:
        self.file = server.data / "clock"
        self.set(0)

    def set(self, seconds: int) -> None:
        """Noticed at the latest `NOTICED` seconds later."""
        # Whole or not at all: a process that reads meanwhile must not find half of it.
        beside = self.file.with_suffix(".new")
        beside.write_text(f"{seconds:+d}\n")
        beside.replace(self.file)


def environment() -> dict[str, str]:
    """For a server that has a `Clock`. Raises Missing."""
    return {
        "LD_PRELOAD": library(),
        # In the folder in which a server is started, its own. FAKETIME itself would overrule it.
        "FAKETIME_TIMESTAMP_FILE": "clock",
        # Seconds: to read the file whenever anybody asks for the time takes 40 µs each time.
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        # Without it Python's threads spin: their waiting for the interpreter's lock, by the
        # monotonic clock, is taken for one by the wall clock, and ends at once.
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        # What a killed process leaves behind there would be left for ever.
        "FAKETIME_DISABLE_SHM": "1",
        "NO_FAKE_STAT": "1",
    }


@fault("clocks-jump", reach="order untouched, nobody signed out or cut, limits hold", takes=200)
async def clocks_jump(stage: Stage) -> None:
    """Servers' clocks jump by an hour, to and fro; with several servers each has its own."""
    installation = stage.installation(servers=2, env=environment())
    clocks = [Clock(server) for server in installation.servers]
    ((name, _),) = await asyncio.to_thread(installation.there.people, 1)
    session = await asyncio.to_thread(installation.there.shell, _SIGN_IN.format(name=name))
    cookie = f"sessionid={session.split()[-1]}"
    async with (
        stage.storm(installation) as storm,
        await _by_cookie(installation.there, cookie) as tab,
    ):
        await storm.more(60)
        told = Told(stage, cookie, tab.id, await tab.create("What time is it?"))
        jumps = _jumps(len(clocks)) * stage.choose(short=1, quick=1, full=5)
        if stage.length == "short":
            # Forwards, backwards, and where there are two, apart.
            jumps = jumps[-4:]
        stage.due = len(jumps)
        for jump in jumps:
            await _jump(stage, storm, clocks, jump)
            for server, seconds in zip(installation.servers, jump, strict=True):
                await told.by(server, seconds)
            await tab.cmd("ping")
        loads = sum(follower.loads + follower.resumes for follower in storm.followers)
        stage.expect(loads == len(storm.followers), "no connection was cut")
        await _limited(stage, installation)
        await _ended(stage, installation, clocks, name, tab, told)


class Told:
    """What time servers have, by a message that somebody sends who is signed in."""

    def __init__(self, stage: Stage, cookie: str, person: str, room: str) -> None:
        self.stage = stage
        self.cookie = cookie
        self.person = person
        self.room = room

    async def by(self, server: Server, seconds: int) -> None:
        """It is so far off as it was set; and who was signed in still is, and may come back."""
        async with await _by_cookie(server, self.cookie) as client:
            self.stage.expect(client.id == self.person, "who was signed in is")
            await _tells(self.stage, client, self.room, seconds)


async def _tells(stage: Stage, client: Client, room: str, seconds: int) -> None:
    """The server that serves the client has a clock so far off."""
    due = time.time() + seconds
    sent = await client.say(room, "now")
    more = datetime.fromisoformat(sent["sent_at"]).timestamp() - due
    stage.expect(abs(more) <= CLOSE, f"a clock is {seconds:+d} s off, and not {more:+.1f} s more")


def _jumps(count: int) -> list[tuple[int, ...]]:
    """How far off each clock is put, one jump after the other; in the end all are right."""
    if count == 1:
        return [(HOUR,), (0,), (-HOUR,), (0,)]
    return [(HOUR, 0), (0, 0), (-HOUR, 0), (-HOUR, HOUR), (HOUR, HOUR), (0, 0)]


async def _jump(stage: Stage, storm: Storm, clocks: list[Clock], jump: tuple[int, ...]) -> None:
    for clock, seconds in zip(clocks, jump, strict=True):
        clock.set(seconds)
    stage.say(f"off by {', '.join(f'{seconds} s' for seconds in jump)}")
    # In the full length so long that a heartbeat (25 s) has come and the sessions (60 s) have
    # been asked about once or twice meanwhile.
    until = time.monotonic() + NOTICED + stage.choose(short=0.1, quick=1.0, full=30.0)
    await storm.more(20)
    while time.monotonic() < until:
        await storm.more(10)
    stage.trial()


async def _by_cookie(server: Server, cookie: str) -> Client:
    return await Client.connect(server.ws, cookie=cookie, origin=server.url)


async def _limited(stage: Stage, installation: Installation) -> None:
    """A server with limits: an hour that was none neither fills the bucket nor empties it."""
    stage.say("the limits")
    limited = Server(
        database_url=installation.here.env.get("DATABASE_URL"),
        redis_url=installation.here.env.get("REDIS_URL"),
        env=environment(),
    )
    stage.keep(limited)
    await asyncio.to_thread(limited.start)
    clock = Clock(limited)
    (_, token), (_, other) = await asyncio.to_thread(limited.people, 2)
    async with (
        await Client.connect(limited.ws, token=token) as client,
        # One who sends so little that he is not refused.
        await Client.connect(limited.ws, token=other) as quiet,
    ):
        room = await client.create("Limits")
        asked = await quiet.create("What time is it?")
        stage.expect(await _refused(client, room), "the limit holds")
        clock.set(HOUR)
        await asyncio.sleep(NOTICED)
        await _tells(stage, quiet, asked, HOUR)
        stage.expect(await _refused(client, room), "an hour forwards does not lift the limit")
        clock.set(-HOUR)
        await asyncio.sleep(NOTICED)
        await _tells(stage, quiet, asked, -HOUR)
        refused = await _refused(client, room, 20)
        stage.expect(not refused, "two hours backwards keep nobody out who has waited")


async def _refused(client: Client, room: str, count: int = AT_ONCE + 100) -> int:
    """How many of so many messages at once were refused for the limit."""
    sent = (client.say(room, f"{number}") for number in range(count))
    answers = await asyncio.gather(*sent, return_exceptions=True)
    codes = [error.code for error in answers if isinstance(error, Refused)]
    assert set(codes) <= {"rate_limited"}, codes
    return len(codes)


async def _ended(
    stage: Stage,
    installation: Installation,
    clocks: list[Clock],
    name: str,
    tab: Client,
    told: Told,
) -> None:
    """Somebody is deactivated by a process whose clock is an hour behind the others'."""
    stage.say("somebody is deactivated")
    clocks[-1].set(HOUR)
    clocks[0].set(-HOUR)
    await asyncio.sleep(NOTICED)
    # The process that deactivates has the environment of the first server, and so its clock.
    await told.by(installation.here, -HOUR)

    async def out() -> float:
        closed = await tab.closing(60)
        stage.expect(closed.code == 4401, "the connection of who is deactivated ends with 4401")
        return time.monotonic()

    said, ended = await asyncio.gather(
        asyncio.to_thread(installation.here.shell, _DEACTIVATE.format(name=name)), out()
    )
    # The kernel's monotonic clock is one for all processes.
    seconds = ended - float(said.split()[-1])
    stage.figure("deactivated, and out", seconds, "s", at_most=2)
    for clock in clocks:
        clock.set(0)
