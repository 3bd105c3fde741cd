"""Whoever counts figures keeps nobody else waiting, and is told when he has to come again."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.support_desk.desk import Desk

from .numbers import PAGE, Reader

# Who waits for a lock in this database.
WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    " AND datname = current_database()"
)
# More than a process has connections to the database.
MANY = 24
# A report that never ends, and nobody has patience.
NEVER = """
import json, threading
from django.contrib.auth import get_user_model
from django.test import Client
from tertulia.support.figures import aside
client = Client(SERVER_NAME="127.0.0.1")
client.force_login(get_user_model().objects.get(username={name!r}))
ended, kept = threading.Event(), (aside.report, aside.PATIENCE)
aside.report, aside.PATIENCE = lambda asked: ended.wait(60), 0.01
try:
    answers = [client.get({page!r}, {{"format": wanted}}) for wanted in ("", "csv")]
finally:
    ended.set()
    aside.report, aside.PATIENCE = kept
answers.append(client.get({page!r}))
print(json.dumps([[one.status_code, one.get("Retry-After"), one.text] for one in answers]))
"""


@pytest.mark.parametrize("installation", ["scaled"], indirect=True)
async def test_other_pages_are_answered_while_figures_are_counted(everywhere: Desk) -> None:
    desk = everywhere
    ana, bea, other = Reader(desk), Reader(desk, "bea"), Reader(desk)
    windows = [reader.window() for reader in (ana, bea) for _ in range(MANY // 2)]
    address = desk.installation.here.env["DATABASE_URL"]
    with (
        ThreadPoolExecutor(MANY) as threads,
        psycopg.connect(address, autocommit=True) as watch,
        psycopg.connect(address) as held,
    ):
        held.execute("LOCK TABLE tertulia_support_measure IN ACCESS EXCLUSIVE MODE")
        asked = [threads.submit(reader.ask) for reader in windows]
        until = time.monotonic() + 10
        while watch.execute(WAITING).fetchone() == (0,):
            assert time.monotonic() < until
            time.sleep(0.01)
        assert other.open("/support/-/inbox/").status == 200
        # The others wait for their turn, not in the database.
        assert watch.execute(WAITING).fetchone() == (1,)
        assert [one.result() for one in asked if one.done()] == []
        held.rollback()
        assert [one.result().status for one in asked] == [200] * MANY


async def test_who_has_waited_too_long_is_told_so(desk: Desk) -> None:
    told = desk.shell(NEVER.format(name=desk.people["ana"].name, page=PAGE))
    page, sheet, after = json.loads(told.strip().splitlines()[-1])
    for status, retry, text in (page, sheet):
        assert (status, retry) == (503, "10")
        assert "Try again in a moment." in text
    assert sheet[2] == "The server cannot do this just now. Try again in a moment.\n"
    assert after[0] == 200
