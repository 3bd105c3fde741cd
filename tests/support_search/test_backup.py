"""What is found is found after a backup was restored, too, after an upgrade, and after the index
was damaged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import pytest

from tertulia.testing.client import Client, new_key
from tertulia.testing.installation import Installation, running
from tertulia.testing.server import Server
from tertulia.testing.services import Postgres
from tertulia.testing.stored import execute, rows
from tests.conftest import RELAXED
from tests.support_desk.desk import Desk

from .conftest import found

KINDS = ("sqlite", "postgres")
TABLE = {
    "sqlite": "SELECT name FROM sqlite_master WHERE name = ?",
    "postgres": "SELECT tablename FROM pg_tables WHERE tablename = ?",
}
Make = Callable[[str], Server]


@pytest.fixture
def make(postgres: Postgres) -> Iterator[Make]:
    """`make("sqlite")` or `make("postgres")`: a server of the test's own, not started."""
    with ExitStack() as stack:

        def made(kind: str) -> Server:
            url = postgres.new_database() if kind == "postgres" else None
            server = Server(database_url=url, env=RELAXED)
            return stack.enter_context(running(Installation([server]))).here

        yield made


def done(server: Server, *arguments: str) -> None:
    ended = server.cli(*arguments)
    assert ended.returncode == 0, ended.stderr


async def talked(server: Server) -> tuple[str, str]:
    """Something was said, changed and taken away; the agent's token, and the room."""
    server.start()
    async with AsyncExitStack() as stack:
        desk = Desk.of(Installation([server]), stack)
        visitor, ana = await desk.visitor(), await desk.agent()
        room = await desk.conversation(visitor, "Where is my pelican?", "A flamingo")
        notes = (await desk.state(ana, room))["notes"]
        await ana.say(notes, "He means the heron")
        said = await visitor.say(room, "An ostrich")
        # What was said is deleted by an agent.
        await ana.cmd("message.delete", room=room, seq=said["seq"])
        desk.shell(
            f"one = Participant.objects.get(public_id={visitor.id!r})\none.name = 'Zoë'\none.save()"
        )
        await check(server, desk.people["ana"].token, room)
        return desk.people["ana"].token, room


async def check(server: Server, token: str, room: str) -> None:
    """All of it is found, and nothing else; also what is said from now on."""
    async with await Client.connect(server.ws, token=token) as ana:
        for query in ("pelican", "flam", "heron", "zoe", "where is"):
            assert await found(ana, query) == [room], query
        for query in ("ostrich", "toucan"):
            assert await found(ana, query) == [], query
        key = new_key()
        said = await ana.request("message.send", room=room, key=key, text="A toucan")
        while not said["ok"] and said["error"]["code"] == "unavailable":
            # The server has just heard that a backup was restored.
            await asyncio.sleep(said["error"]["retry_after"])
            said = await ana.request("message.send", room=room, key=key, text="A toucan")
        assert await found(ana, "toucan") == [room]
        await ana.cmd("message.delete", room=room, seq=said["result"]["seq"])
        assert await found(ana, "toucan") == []


@pytest.mark.parametrize("into", KINDS)
@pytest.mark.parametrize("of", KINDS)
async def test_a_backup_finds_it_on_another_machine(
    make: Make, tmp_path: Path, of: str, into: str
) -> None:
    here, elsewhere = make(of), make(into)
    token, room = await talked(here)
    done(here, "backup", str(tmp_path / "backup"))
    done(elsewhere, "restore", str(tmp_path / "backup"))
    elsewhere.start()
    await check(elsewhere, token, room)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_restore_over_a_server_that_runs_finds_what_was_saved(
    make: Make, tmp_path: Path, kind: str
) -> None:
    server = make(kind)
    token, room = await talked(server)
    done(server, "backup", str(tmp_path / "backup"))
    async with await Client.connect(server.ws, token=token) as ana:
        await ana.say(room, "A toucan that was said too late")
        done(server, "restore", str(tmp_path / "backup"), "--force")
        # The server hears of it within a second, and closes who was there.
        assert (await ana.closing()).code == 1012
    await check(server, token, room)


@pytest.mark.parametrize("kind", KINDS)
async def test_an_upgrade_finds_what_was_said_before_it(make: Make, kind: str) -> None:
    server = make(kind)
    token, room = await talked(server)
    assert server.process
    server.process.stop()
    done(server, "manage", "migrate", "tertulia_support", "0002_mail")
    for name in ("text", "index"):
        assert rows(server, TABLE[kind], f"tertulia_support_search{name}") == []
    server.start()
    await check(server, token, room)


@pytest.mark.parametrize("kind", KINDS)
async def test_an_index_that_is_damaged_is_made_anew_while_the_server_runs(
    make: Make, kind: str
) -> None:
    server = make(kind)
    token, room = await talked(server)
    damage = ["DELETE FROM tertulia_support_searchtext"]
    if kind == "sqlite":
        damage.insert(0, "DROP TRIGGER tertulia_support_searchindex_take")
        damage.append("UPDATE tertulia_support_searchindex_data SET block = x'00' WHERE id > 10")
    else:
        damage.append("DROP INDEX tertulia_support_searchindex")
    for statement in damage:
        execute(server, statement)
    done(server, "manage", "rebuild_search")
    await check(server, token, room)
