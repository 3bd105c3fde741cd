"""Thousands of clients come back in the same moment."""

from __future__ import annotations

import asyncio
import resource
import time

from .. import memory
from ..client import Client
from ..crowd import Remote
from ..installation import Installation
from .registry import fault
from .stage import Stage

MISSED = 5
# Files that a process has open besides its clients' sockets.
OTHER_FILES = 1_000
# Seconds: everybody has to be back; memory may take as long to be given back.
BACK, SETTLED = 60.0, 30.0


@fault(
    "everybody-returns",
    reach="all resumed ≤ 60 s, 0 lost, memory back within 10 %",
    takes=300,
    alone=True,
)
async def everybody_returns(stage: Stage) -> None:
    """10,000 clients reconnect at once: after all are cut, and after all servers are killed."""
    count = _within_files(stage, stage.choose(short=300, quick=1_500, full=10_000))
    installation = stage.installation(servers=2)
    # Each with some hundred connections: to make ten thousand accounts would take an hour.
    people = await asyncio.to_thread(installation.here.people, stage.choose(short=5, full=21))
    owner = await Client.connect(installation.here.ws, token=people[0][1])
    room = await owner.create("Crowd", "public")
    await owner.close()
    doors = [server.host for server in installation.servers]
    crowd = await Remote.start(doors, [token for _, token in people[1:]], room, count)
    try:
        await _storms(stage, installation, crowd, Speaker(installation, people[0][1], room), count)
    finally:
        await crowd.end()


class Speaker:
    """Writes to the crowd's room, over a connection for each occasion."""

    def __init__(self, installation: Installation, token: str, room: str) -> None:
        self.installation, self.token, self.room = installation, token, room

    async def say(self, count: int) -> int:
        """So many messages; the seq of the last."""
        async with await Client.connect(self.installation.here.ws, token=self.token) as client:
            said = [await client.say(self.room, f"message {n}") for n in range(count)]
        return int(said[-1]["seq"])


async def _storms(
    stage: Stage, installation: Installation, crowd: Remote, speaker: Speaker, count: int
) -> None:
    stage.say(f"{count:,} clients connect")
    # All have something before which they can be: an empty room is not resumed.
    await speaker.say(MISSED)
    await crowd.ask("open", 300)
    pause = stage.choose(short=1.0, full=3.0)
    before = await _settled(installation, pause)
    # The kill at the end is one more.
    stage.due = 1
    for number in stage.trials(stage.choose(short=1, quick=2, full=5)):
        stage.say("all are cut")
        writing = asyncio.create_task(speaker.say(MISSED))
        began = time.monotonic()
        await crowd.ask("cut", 30)
        await crowd.ask("whole", BACK * 2)
        stage.figure(f"return {number + 1}", time.monotonic() - began, "s", at_most=BACK)
        await _reached(stage, crowd, await writing)
    after = await _settled(installation, pause, enough=before * 1.1)
    stage.figure("memory", (after / before - 1) * 100, "% more", at_most=10)
    for server in installation.servers:
        await asyncio.to_thread(server.kill9)
    stage.say("all servers are killed, and come back")
    await asyncio.gather(*(asyncio.to_thread(server.start) for server in installation.servers))
    began = time.monotonic()
    await crowd.ask("whole", BACK * 2)
    stage.figure("after a kill", time.monotonic() - began, "s", at_most=BACK)
    stage.trial()
    answer = await _reached(stage, crowd, await speaker.say(MISSED))
    stage.expect(answer["loads"] == count, "everybody resumed, nobody loaded afresh")
    stage.expect(answer["here"] == count, "everybody is there in the end")


async def _reached(stage: Stage, crowd: Remote, head: int) -> dict[str, int]:
    """Everybody has everything up to this seq, each event once and in order."""
    stage.answered(MISSED)
    began = time.monotonic()
    answer = await crowd.ask(f"reach {head}", BACK)
    stage.converged(time.monotonic() - began)
    stage.expect(not answer["doubled"], "no event came twice")
    stage.expect(not answer["gaps"], "no event was left out")
    return answer


async def _settled(installation: Installation, pause: float, enough: float = 0.0) -> float:
    """Bytes of all server processes, when they are no more than `enough` or change no more."""
    last = _memory(installation)
    deadline = time.monotonic() + SETTLED
    while time.monotonic() < deadline:
        await asyncio.sleep(pause)
        now = _memory(installation)
        if now <= enough or (not enough and abs(now - last) < last * 0.01):
            return now
        last = now
    return last


def _memory(installation: Installation) -> float:
    """Proportional set size: pages that several processes share count once."""
    pids = [pid for server in installation.servers for pid in server.worker_pids()]
    return sum(map(memory.proportional, pids))


def _within_files(stage: Stage, count: int) -> int:
    """As many open files as the system allows, for us and our children; no more clients."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        if most - OTHER_FILES < count:
            count = most - OTHER_FILES
            stage.note(f"only {count:,} clients: the limit on open files is {most:,}")
    return count
