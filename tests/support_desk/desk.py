"""Desks for the tests: an inbox with two agents, another with one, a stranger, and visitors."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from tertulia.testing.client import Client, new_key
from tertulia.testing.installation import Installation
from tertulia.testing.server import Server
from tests.support.people import Person

VISITORS = 3
PEOPLE = ("ana", "bea", "foreign", "stranger")
# One process makes several: Django takes a second to begin.
BATCH = 8
PREPARE = """
import json
from django.contrib.auth import get_user_model
from tertulia.chat.people import participant_of
from tertulia.support.models import Agent, CannedReply, Inbox
from tertulia.support.visitors import new_visitor, visitor_token
users = get_user_model().objects
made = []
for ana, bea, foreign in {names!r}:
    inbox, other = (Inbox.objects.create(name=name) for name in ("Shop", "Returns"))
    for where, name in ((inbox, ana), (inbox, bea), (other, foreign)):
        Agent.objects.create(inbox=where, participant=participant_of(users.get(username=name)))
    CannedReply.objects.create(inbox=inbox, shortcut="hi", text="Hello {{name}}")
    tokens = [visitor_token(new_visitor(inbox)) for _ in range({visitors})]
    made.append(dict(inbox=inbox.public_id, other=other.public_id, tokens=tokens))
print(json.dumps(made))
"""

_pools: WeakKeyDictionary[Server, list[dict[str, Any]]] = WeakKeyDictionary()


def make(server: Server) -> dict[str, Any]:
    """A desk of this server's database, that no other test has."""
    pool = _pools.setdefault(server, [])
    if not pool:
        people = server.people(len(PEOPLE) * BATCH)
        each = len(PEOPLE)
        groups = [people[at : at + each] for at in range(0, len(people), each)]
        names = [[name for name, _ in group[:3]] for group in groups]
        told = server.shell(PREPARE.format(names=names, visitors=VISITORS))
        for desk, group in zip(json.loads(told.strip().splitlines()[-1]), groups, strict=True):
            pool.append({**desk, "people": dict(zip(PEOPLE, group, strict=True))})
    return pool.pop()


@dataclass
class Desk:
    """One desk, and who is connected to it. Connections are closed with the test."""

    installation: Installation
    stack: AsyncExitStack
    inbox: str
    other: str
    tokens: list[str]
    people: dict[str, Person]

    @classmethod
    def of(cls, installation: Installation, stack: AsyncExitStack) -> Desk:
        made = make(installation.here)
        people = {
            role: Person(installation.here, name, token, stack)
            for role, (name, token) in made["people"].items()
        }
        return cls(installation, stack, made["inbox"], made["other"], made["tokens"], people)

    async def agent(self, role: str = "ana", *, there: bool = False) -> Client:
        """Ana and Bea answer in the inbox; `foreign` in the other, the stranger in none."""
        server = self.installation.there if there else self.installation.here
        return await self.people[role].connect(server.ws, token=self.people[role].token)

    async def visitor(self, number: int = 0, *, there: bool = False) -> Client:
        """A visitor of the inbox, by `auth`."""
        server = self.installation.there if there else self.installation.here
        client = await Client.connect(server.ws, auth=self.tokens[number])
        self.stack.push_async_callback(client.close)
        return client

    async def conversation(self, visitor: Client, *said: str, **fields: Any) -> str:
        """Open one and say something; its address."""
        opened = await visitor.cmd(
            "conversation.open", key=new_key(), url="https://shop.example/cart", **fields
        )
        for text in said:
            await visitor.say(opened["room"], text)
        return str(opened["room"])

    async def state(self, agent: Client, room: str) -> dict[str, Any]:
        found: dict[str, Any] = (await agent.cmd("conversation.get", room=room))["conversation"]
        return found

    def shell(self, code: str) -> str:
        """Python beside the servers, with this desk's `inbox` and `other`."""
        found = "".join(
            f"{name} = Inbox.objects.get(public_id={public_id!r})\n"
            for name, public_id in (("inbox", self.inbox), ("other", self.other))
        )
        begin = "from tertulia.support.models import *\nfrom tertulia.chat.models import *\n"
        return self.installation.here.shell(begin + found + code)
