"""Whatever three people do in a room, in whatever order, while its servers are killed: each command
is answered as a model of it says, and everybody sees what the model holds.

`TERTULIA_MACHINE=500 bin/test tests/testing/test_machine.py` plays so many stories, new ones each
time; without it a few, always the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from tertulia.testing.client import Client, Closed, Refused, new_key
from tertulia.testing.installation import Installation
from tertulia.testing.server import Server
from tertulia.testing.services import Postgres, Redis
from tertulia.testing.view import RoomView
from tests.conftest import RELAXED

from .model import Model, No

PEOPLE = 3
EXAMPLES = int(os.environ.get("TERTULIA_MACHINE", "0"))
# A server takes a second to come back.
KILLS = 2

Result = TypeVar("Result")

who = st.integers(0, PEOPLE - 1)
# The owner stays: a room without one is another matter.
guest = st.integers(1, PEOPLE - 1)
which = st.integers(0, 20)
texts = st.sampled_from(["hola", "*mark*", "¿y tú?", "@p1 mira"])
emojis = st.sampled_from(["👍", "🎉"])


class Story(RuleBasedStateMachine):
    """One room from its first event on."""

    def __init__(self, installation: Installation, tokens: list[str]) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.installation = installation
        self.tokens = tokens
        self.kills = 0
        self.returns = 0
        self.model = Model(PEOPLE)
        self.clients: list[Client] = []
        self.views: list[RoomView] = []
        self.wait(self._begin())

    def wait(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.loop.run_until_complete(asyncio.wait_for(work, 60))

    async def _begin(self) -> None:
        for number, token in enumerate(self.tokens):
            self.clients.append(await Client.connect(self._door(number), token=token))
        self.ids = [client.id for client in self.clients]
        self.room = await self.clients[0].create("Story", "private", members=self.ids[1:])
        for client in self.clients:
            await client.subscribe(self.room, limit=100)
            self.views.append(client.views[self.room])

    def _door(self, number: int) -> str:
        servers = self.installation.servers
        return servers[number % len(servers)].ws

    # Commands

    def does(self, person: int, command: str, expected: Any, **fields: Any) -> None:
        """The server answers what `expected()` gives or raises."""
        try:
            wanted: int | str = expected()
        except No as no:
            wanted = str(no)
        assert self.wait(self._answer(person, command, fields)) == wanted

    async def _answer(self, person: int, command: str, fields: dict[str, Any]) -> int | str:
        try:
            result = await self.clients[person].cmd(command, room=self.room, **fields)
        except Refused as refused:
            return refused.code
        return int(result.get("seq", result.get("event")))

    def seq(self, number: int) -> int:
        seqs = sorted(self.model.messages)
        return seqs[number % len(seqs)]

    @rule(person=who, text=texts)
    def send(self, person: int, text: str) -> None:
        key = new_key()
        self.does(
            person, "message.send", lambda: self.model.send(person, key, text), key=key, text=text
        )

    @precondition(lambda self: self.model.keys)
    @rule(number=which, door=st.integers(0, 1))
    def send_again(self, number: int, door: int) -> None:
        """By somebody who has not heard the answer, through whichever process."""
        (person, key), seq = list(self.model.keys.items())[number % len(self.model.keys)]

        async def again() -> int:
            address = self._door(door)
            async with await Client.connect(address, token=self.tokens[person]) as client:
                return int((await client.say(self.room, "something else", key))["seq"])

        assert self.wait(again()) == seq

    @precondition(lambda self: self.model.messages)
    @rule(person=who, number=which, text=texts)
    def edit(self, person: int, number: int, text: str) -> None:
        seq = self.seq(number)
        self.does(
            person, "message.edit", lambda: self.model.edit(person, seq, text), seq=seq, text=text
        )

    @precondition(lambda self: self.model.messages)
    @rule(person=who, number=which)
    def delete(self, person: int, number: int) -> None:
        seq = self.seq(number)
        self.does(person, "message.delete", lambda: self.model.delete(person, seq), seq=seq)

    @precondition(lambda self: self.model.messages)
    @rule(person=who, number=which, emoji=emojis, add=st.booleans())
    def react(self, person: int, number: int, emoji: str, add: bool) -> None:
        seq = self.seq(number)
        command = "reaction.add" if add else "reaction.remove"
        expected = lambda: self.model.react(person, seq, emoji, add)  # noqa: E731
        self.does(person, command, expected, seq=seq, emoji=emoji)

    @rule(person=guest)
    def join(self, person: int) -> None:
        self.does(0, "member.add", lambda: self.model.move(person, True), member=self.ids[person])

    @rule(person=guest)
    def remove(self, person: int) -> None:
        self.does(
            0, "member.remove", lambda: self.model.move(person, False), member=self.ids[person]
        )

    @rule(person=guest)
    def leave(self, person: int) -> None:
        self.does(person, "room.leave", lambda: self.model.leave(person))

    # Faults

    @precondition(lambda self: self.kills < KILLS)
    @rule(person=who, text=texts, number=st.integers(0, 1), after=st.sampled_from([0, 0.002, 0.02]))
    def kill(self, person: int, text: str, number: int, after: float) -> None:
        """A server is killed while somebody sends; he asks again until he is answered."""
        self.kills += 1
        key = new_key()
        servers = self.installation.servers
        server = servers[number % len(servers)]

        async def killed() -> None:
            sending = asyncio.create_task(self._answer(person, "message.send", how))
            await asyncio.sleep(after)
            await asyncio.to_thread(server.restart)
            await asyncio.gather(sending, return_exceptions=True)
            for each in range(PEOPLE):
                await self._return(each)

        how = {"key": key, "text": text}
        self.wait(killed())
        self.does(person, "message.send", lambda: self.model.send(person, key, text), **how)

    @rule(person=who)
    def cut(self, person: int) -> None:
        """Somebody's connection is lost; he comes back by another door."""
        self.wait(self._return(person))

    async def _return(self, person: int) -> None:
        before = self.clients[person]
        with contextlib.suppress(Closed):
            await before.vanish()
        assert before.error is None, before.error
        self.returns += 1
        client = await Client.connect(self._door(self.returns), token=self.tokens[person])
        self.clients[person] = client
        try:
            await client.resume(self.room, self.views[person])
        except Refused as refused:
            assert (refused.code, self.model.inside[person][0]) == ("not_found", False)

    # What has to hold in the end

    def teardown(self) -> None:
        try:
            self.wait(self._all_see_it())
        finally:
            self.wait(self._end())
            self.loop.close()

    async def _all_see_it(self) -> None:
        for person, client in enumerate(self.clients):
            inside, since = self.model.inside[person]
            if inside:
                # Who was put back in subscribes anew; whoever was there all the time need not.
                if self.room not in client.views or client.views[self.room].seq < since:
                    await client.resume(self.room, self.views[person])
                await client.reached(self.room, self.model.head)
                assert self._seen(client.views[self.room]) == self.model.shown()
            else:
                await client.cmd("ping")
                assert self.views[person].seq <= since, "he heard what was said without him"
            assert client.error is None, client.error

    def _seen(self, view: RoomView) -> dict[int, Any]:
        return {
            seq: (
                *(message["text"], message["deleted"], message["version"]),
                frozenset(
                    (self.ids.index(each), reaction["emoji"])
                    for reaction in message["reactions"]
                    for each in reaction["by"]
                ),
            )
            for seq, message in view.messages.items()
        }

    async def _end(self) -> None:
        for client in self.clients:
            await client.vanish()


@pytest.fixture(scope="module", params=["sqlite", "scaled"])
def breakable(request: pytest.FixtureRequest) -> Iterator[Installation]:
    """Servers of this file's own, for they are killed."""
    if request.param == "sqlite":
        made = Installation([Server(env=RELAXED).start()])
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        redis: Redis = request.getfixturevalue("redis")
        made = Installation.scaled(postgres, redis, RELAXED)
    yield made
    made.remove()


def test_a_room_is_what_its_model_is(breakable: Installation) -> None:
    tokens = [token for _, token in breakable.here.people(PEOPLE)]
    stories = settings(
        max_examples=EXAMPLES or 6,
        stateful_step_count=60 if EXAMPLES else 30,
        derandomize=not EXAMPLES,
        # A failing story is told as it is: to make it shorter takes a kill a try.
        phases=[Phase.generate],
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(lambda: Story(breakable, tokens), settings=stories)
