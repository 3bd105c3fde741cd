"""The same send again and again: through any process, after any delay, one message."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

from ..checker import Violation
from ..client import Client, Frame, new_key
from ..installation import Installation
from ..stored import read_logs
from .registry import fault
from .stage import Stage

AT_ONCE = 10
MONTH = 31


@fault("same-key", reach="one row, ten equal answers", takes=60)
async def same_key(stage: Stage) -> None:
    """The same key ten times at once, on two processes; after a restart; when it is a month old."""
    installation = stage.installation(servers=2)
    ((_, token),) = await asyncio.to_thread(installation.here.people, 1)
    doors = installation.doors
    clients = [await Client.connect(doors.next(), token=token) for _ in range(AT_ONCE)]
    room = await clients[0].create("Ten times")
    first: dict[str, Frame] = {}
    for _ in stage.trials(stage.choose(short=30, quick=100, full=1_000)):
        key = new_key()
        first[key] = await _once(stage, clients, room, key)
    for client in clients:
        await client.close()
    for aged in stage.choose(short=[True], full=[False, True]):
        for server in installation.servers:
            await asyncio.to_thread(server.kill9)
        if aged:
            await asyncio.to_thread(_age, installation)
        for server in installation.servers:
            await asyncio.to_thread(server.start)
        await _again(stage, installation, token, room, first)
    log = (await asyncio.to_thread(read_logs, installation.here))[room]
    stored = [entry.key for entry in log.entries if entry.key]
    stage.checked("lost", "doubled", "out_of_order")
    if stored != list(first):
        stage.blame([Violation("I2", f"{len(stored)} rows for {len(first)} keys")])


async def _once(stage: Stage, clients: list[Client], room: str, key: str) -> Frame:
    """One key through all connections at once; the answer."""
    replies = await asyncio.gather(*(client.say(room, "once", key) for client in clients))
    stage.answered(1)
    made = [reply for reply in replies if not reply["duplicate"]]
    stage.expect(len(made) == 1, "one of the ten was the first")
    told = {(reply["seq"], reply["sent_at"]) for reply in replies}
    stage.expect(len(told) == 1, "all ten were answered the same")
    return replies[0]


async def _again(
    stage: Stage, installation: Installation, token: str, room: str, first: dict[str, Frame]
) -> None:
    """Every key once more, through each process: answered as the first time."""
    for server in installation.servers:
        async with await Client.connect(server.ws, token=token) as client:
            for key, before in first.items():
                answer = await client.say(room, "once more", key)
                same = (answer["seq"], answer["duplicate"]) == (before["seq"], True)
                stage.expect(same, f"{key} is known in {server.host}")


def _age(installation: Installation) -> None:
    """All that was written is a month older now: its times, and the accounts' and tokens'."""
    server = installation.here
    address = server.env.get("DATABASE_URL")
    if address:
        import psycopg

        with psycopg.connect(address) as connection:
            columns = connection.execute(
                "SELECT table_name, column_name FROM information_schema.columns WHERE"
                " table_schema = 'public' AND data_type = 'timestamp with time zone'"
            ).fetchall()
            for table, column in columns:
                connection.execute(
                    f'UPDATE "{table}" SET "{column}" = "{column}" - interval \'{MONTH} days\''
                )
        return
    with closing(sqlite3.connect(server.database_file(), timeout=20)) as file, file:
        columns = file.execute(
            "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c"
            " WHERE m.type = 'table' AND c.type = 'datetime'"
        ).fetchall()
        for table, column in columns:
            # As Django writes them: microseconds are kept.
            file.execute(
                f'UPDATE "{table}" SET "{column}" = datetime("{column}", \'-{MONTH} days\')'
                f' || substr("{column}", 20) WHERE "{column}" IS NOT NULL'
            )
