"""Statement 10: a room that one may not see cannot be told from one that does not exist.

Neither by the answer, which is the same to the byte, nor by the work that it takes: the database
is asked as many questions. (Times are not compared: they would say nothing on a busy machine.)
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tertulia.testing.client import Client, new_key
from tertulia.testing.server import Server
from tests.support.browser import Answer

from .authorisation import ROWS
from .stage import frames
from .web import Visitor, sessions

# Every command that names a room.
COMMANDS = sorted({row.command for row in ROWS})
PAGES = (
    "/chat/{}/",
    "/chat/{}/1/",
    "/chat/{}/999999/",
    "/chat/-/rooms/{}/invitations/",
    "/chat/-/enter/?name={}",
)
POSTS = ("/chat/-/rooms/{}/invitations/", "/chat/-/rooms/{}/invitations/1/revoke/")
# What the process asks by itself: its sweep, every second, and what still holds of sign-ins.
SWEEP = re.compile(
    r'accesschange|"tertulia_support_agent"|chat_token|AS "session_key" FROM|sqlite_|^PRAGMA'
)
LITERAL = re.compile(r"'(?:[^']|'')*'|\b\d+\b")


VISITOR = """
from tertulia.support.models import Inbox
from tertulia.support.visitors import new_visitor, visitor_token
print(visitor_token(new_visitor(Inbox.objects.create(name="Hidden"))))
"""


class Hidden:
    """A server that writes down its statements, a stranger, and rooms that he may not see."""

    def __init__(self, server: Server, trace: Path) -> None:
        self.server = server
        self.trace = trace
        self.rooms: dict[str, str] = {}
        self.stranger: Client
        self.visitor: Visitor

    async def asked(self, act: Callable[[], Awaitable[Any]]) -> tuple[Any, list[str]]:
        """What came of it, and what the database was asked meanwhile, without the values."""
        before = self.trace.stat().st_size
        result = await act()
        with self.trace.open("rb") as file:
            file.seek(before)
            lines = file.read().decode().splitlines()
        return result, [LITERAL.sub("?", line) for line in lines if not SWEEP.search(line)]

    async def told(self, command: str, slug: str) -> str:
        """The whole reply to a command on this address, as text."""
        frame = next(each for each in frames() if each["type"] == command)
        await self.stranger.send({**frame, "ref": "same", "room": slug})
        return json.dumps(await self.stranger.expect("reply", ref="same"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    trace = tmp_path_factory.mktemp("trace") / "statements"
    server = Server(
        env={
            "PYTHONPATH": str(Path(__file__).with_name("traced")),
            "DJANGO_SETTINGS_MODULE": "traced_settings",
            "TRACE": str(trace),
            "TERTULIA_LIMITS": "off",
        }
    ).start()
    yield server, trace
    server.remove()


@pytest.fixture(scope="module")
def people(server: tuple[Server, Path]) -> list[tuple[str, str, str]]:
    """An owner, a member and a stranger: name, token and session."""
    found = server[0].people(3, batch=3)
    held = sessions(server[0], {name: 1 for name, _ in found})
    return [(name, token, held[name][0]) for name, token in found]


@pytest.fixture
async def hidden(
    server: tuple[Server, Path], people: list[tuple[str, str, str]]
) -> AsyncIterator[Hidden]:
    made = Hidden(*server)
    (_, owner_token, _), (_, member_token, _), (_, token, session) = people
    visitor_token = made.server.shell(VISITOR).strip().splitlines()[-1]
    async with AsyncExitStack() as stack:

        async def connected(token: str) -> Client:
            return await stack.enter_async_context(
                await Client.connect(made.server.ws, token=token)
            )

        owner, member = await connected(owner_token), await connected(member_token)
        made.stranger = await connected(token)
        made.visitor = stack.enter_context(Visitor(made.server, session))
        for kind in ("private", "direct"):
            made.rooms[kind] = await owner.create(kind, kind, members=[member.id])
            await owner.say(made.rooms[kind], "hola")
        client = await stack.enter_async_context(
            await Client.connect(made.server.ws, auth=visitor_token)
        )
        opened = await client.cmd("conversation.open", key=new_key(), url="")
        made.rooms["support"] = opened["room"]
        yield made


def absent(slug: str) -> str:
    """An address of the same length and letters where nothing is."""
    return slug[::-1]


def comparable(answer: Answer, slug: str) -> tuple[int, dict[str, str], str]:
    """Without the address itself, and without what is another in every answer."""
    text = re.sub(r'nonce[-=]"?[\w-]+"?|value="[\w]{64}"', "", answer.text).replace(slug, "SLUG")
    headers = {
        name: re.sub(r"nonce-[\w-]+", "", value).replace(slug, "SLUG")
        for name, value in answer.headers.items()
        if name not in ("date", "expires", "set-cookie")
    }
    return answer.status, headers, text


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_command_answers_alike_with_as_many_questions(hidden: Hidden, command: str) -> None:
    for kind, slug in hidden.rooms.items():
        nothing = absent(slug)
        # Once each before: what a process remembers of rooms must not tell them apart either.
        for address in (slug, nothing):
            await hidden.told(command, address)
        seen, asked = await hidden.asked(partial(hidden.told, command, slug))
        other, asked_of_nothing = await hidden.asked(partial(hidden.told, command, nothing))
        assert seen == other, kind
        assert "not_found" in seen
        assert len(asked) == len(asked_of_nothing), (kind, asked, asked_of_nothing)


@pytest.mark.parametrize(
    ("method", "pattern"), [*(("GET", each) for each in PAGES), *(("POST", each) for each in POSTS)]
)
async def test_a_page_answers_alike_with_as_many_questions(
    hidden: Hidden, method: str, pattern: str
) -> None:
    for kind, slug in hidden.rooms.items():
        nothing = absent(slug)

        def ask(address: str) -> Awaitable[Answer]:
            return asyncio.to_thread(hidden.visitor.ask, method, pattern.format(address))

        await ask(slug)
        seen, asked = await hidden.asked(partial(ask, slug))
        other, asked_of_nothing = await hidden.asked(partial(ask, nothing))
        assert comparable(seen, slug) == comparable(other, nothing), kind
        assert len(asked) == len(asked_of_nothing), (kind, asked, asked_of_nothing)
