"""Each failpoint, played once: what it does to a server that is started by the launcher."""

from __future__ import annotations

import asyncio
import re
import time

import pytest

from tertulia.testing.client import Client, Closed, new_key
from tertulia.testing.failpoints import WrongFailpoint, parse
from tertulia.testing.firing import Firing, chances
from tertulia.testing.processes import wait_for
from tertulia.testing.server import Server
from tertulia.testing.services import Postgres, Redis
from tests.support.metrics import Scrape

from .conftest import Launch


async def two(server: Server, there: Server | None = None) -> tuple[Client, Client, str]:
    """Somebody who writes, somebody who reads (at `there`), and their room."""
    (_, mine), (_, hers) = server.people(2, batch=2)
    bea = await Client.connect((there or server).ws, token=hers)
    ana = await Client.connect(server.ws, token=mine)
    room = await ana.create("Points", "private", members=[bea.id])
    await ana.subscribe(room)
    await bea.subscribe(room)
    return ana, bea, room


def told(server: Server, name: str) -> bool:
    return f"failpoint {name}" in server.tail(limit=100_000)


async def test_on_the_way_of_a_message(launch: Launch) -> None:
    # The room's making is the first commit, and the first that is told.
    server = launch(
        "before-commit=raise:skip(1):once,before-reply=drop:skip(2):once,"
        "before-publish=drop:skip(2):once,before-fan-out=drop:skip(20)"
    )
    ana, bea, room = await two(server)
    # Rolled back once; then it goes alone.
    first = await ana.say(room, "before-commit")
    assert told(server, "before-commit: raise")
    await bea.reached(room, first["seq"])

    # Committed, and never answered: the same key brings the answer.
    key = new_key()
    with pytest.raises(TimeoutError):
        await ana.cmd("message.send", seconds=0.5, room=room, key=key, text="before-reply")
    assert told(server, "before-reply: drop")
    again = await ana.say(room, "before-reply", key=key)
    assert again["seq"] == first["seq"] + 1

    # Told to nobody: the sweep finds it.
    second = await ana.say(room, "before-publish")
    await bea.reached(room, second["seq"], seconds=5)
    assert told(server, "before-publish: drop")

    # Passed on to nobody, for ever.
    while not told(server, "before-fan-out: drop"):
        second = await ana.say(room, "one more")
        await asyncio.sleep(0.02)
    with pytest.raises(TimeoutError):
        await bea.reached(room, second["seq"], seconds=0.5)
    await ana.close()
    await bea.close()


async def test_killed_between_commit_and_reply_the_message_stays(launch: Launch) -> None:
    server = launch("after-commit=kill:skip(1)", env={"TERTULIA_FAILPOINTS_SEED": "7"})
    ana, bea, room = await two(server)
    key = new_key()
    with pytest.raises((Closed, TimeoutError)):
        await ana.cmd("message.send", room=room, key=key, text="kept")
    assert server.process
    assert server.process.popen.wait(10) == -9
    assert told(server, "after-commit: kill")
    (_, token), *_ = server.people(1, batch=1)

    # The launcher knows its own folder; the database is away for a while at this start.
    server.env["TERTULIA_FAILPOINTS"] = "database-connect=raise:count(2),sweep=raise:count(2)"
    server.start()
    assert told(server, "database-connect: raise")
    # For the seed, the processes of the folder are counted.
    assert (server.data / "failpoint-starts").read_text() == "2"
    wait_for(lambda: told(server, "sweep: raise"), 5, "the sweep failed")
    async with await Client.connect(server.ws, token=token) as stranger:
        assert stranger.welcome
    wait_for(lambda: Scrape.of(server)("sweep_failures_total") >= 2, 5, "failures counted")
    # Without rules the plain product takes the data, too.
    del server.env["TERTULIA_FAILPOINTS"]
    server.restart()
    logs = server.shell(
        "from tertulia.chat.models import Message; print([m.text for m in Message.objects.all()])"
    )
    assert logs.split("\n")[-2] == "['kept']"
    await ana.vanish()
    await bea.vanish()


async def test_a_sleep_takes_its_time(launch: Launch) -> None:
    server = launch("after-commit=sleep(0.6):skip(1):once,before-commit=exit:skip(2)")
    ana, bea, room = await two(server)
    began = time.monotonic()
    await ana.say(room, "slow")
    assert 0.6 <= time.monotonic() - began < 5
    with pytest.raises((Closed, TimeoutError)):
        await ana.say(room, "the end")
    assert server.process
    assert server.process.popen.wait(10) == 1
    await ana.vanish()
    await bea.vanish()


async def test_news_of_the_layer_shuffled_and_lost(
    launch: Launch, postgres: Postgres, redis: Redis
) -> None:
    how = {"database_url": postgres.new_database(), "redis_url": redis.url}
    env = {"TERTULIA_SECRET_KEY": "of this test, and of nothing else " * 2}
    there = launch("layer-receive=reorder(5)", start=False, env=env, **how)
    here = launch("after-publish=sleep(0.01):once", start=False, env=env, **how)
    for server in (here, there):
        server.start(wait=False)
    for server in (here, there):
        server.wait_ready()
    ana, bea, room = await two(here, there)
    for number in range(30):
        last = await ana.say(room, f"{number}")
    view = await bea.reached(room, last["seq"])
    assert view.texts() == [f"{number}" for number in range(30)]
    assert told(there, "layer-receive: reorder")
    assert told(here, "after-publish: sleep")
    assert Scrape.of(there)("gaps_found_total", by="sequencer") > 0
    for client in (ana, bea):
        await client.close()

    # Lost altogether; the reader gets them by the sweep.
    there.env["TERTULIA_FAILPOINTS"] = "layer-receive=drop"
    there.restart()
    ana, bea, room = await two(here, there)
    last = await ana.say(room, "by the sweep")
    await bea.reached(room, last["seq"], seconds=5)
    assert Scrape.of(there)("layer_received_total") == 0
    await ana.close()
    await bea.close()


async def test_every_worker_has_them(launch: Launch, postgres: Postgres, redis: Redis) -> None:
    server = launch(
        "layer-receive=delay(0.1),after-publish=kill:skip(5):once",
        database_url=postgres.new_database(),
        redis_url=redis.url,
        workers=2,
    )
    wait_for(lambda: server.tail().count("failpoints: ") >= 2, 10, "both workers are ready")
    before = server.worker_pids()
    (_, mine), *_ = server.people(1, batch=1)
    ana = await Client.connect(server.ws, token=mine)
    room = await ana.create("Workers", "private")
    key = new_key()
    for _ in range(200):
        if told(server, "after-publish: kill"):
            break
        try:
            await ana.say(room, "on and on", key=(key := new_key()))
        except (Closed, TimeoutError):
            break
        await asyncio.sleep(0.02)
    wait_for(lambda: told(server, "after-publish: kill"), 5, "a worker was killed")
    # Its replacement has the rules as well.
    wait_for(lambda: server.tail(limit=50_000).count("failpoints: ") >= 3, 15, "a new worker")
    assert set(server.worker_pids()) != set(before)
    await ana.vanish()
    async with await Client.connect(server.ws, token=mine) as again:
        assert (await again.say(room, "on and on", key=key))["seq"]


def test_chances_are_the_same_with_a_seed() -> None:
    """The n-th process of a folder draws the same in each run; the next one draws others."""

    def drawn(seed: str, start: int) -> list[str | None]:
        (rule,) = parse("sweep=drop:0.5")
        firing = Firing(rule, chances(seed, "sweep", start))
        return [firing.act() for _ in range(50)]

    assert drawn("7", 1) == drawn("7", 1)
    assert {"drop", None} == set(drawn("7", 1))
    assert drawn("7", 1) != drawn("7", 2)
    assert drawn("7", 1) != drawn("8", 1)


def test_the_rules() -> None:
    rules = parse("after-commit=kill:0.02, after-reply=sleep(0.5):0.1:once,sweep=off,")
    assert [(r.point.name, r.action, r.argument, r.probability, r.most) for r in rules] == [
        ("after-commit", "kill", 0, 0.02, None),
        ("before-publish", "sleep", 0.5, 0.1, 1),
    ]
    (rule,) = parse("layer-receive=reorder(4):skip(3):count(2)")
    assert (rule.argument, rule.skipped, rule.most) == (4, 3, 2)
    assert parse("") == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("after-lunch=kill", "no failpoint 'after-lunch'"),
        ("after-commit", "NAME=ACTION"),
        ("after-commit=reorder(2)", "cannot 'reorder'"),
        ("after-commit=sleep", "a number in brackets"),
        ("after-commit=kill(3)", "no brackets"),
        ("after-commit=kill:2", "from 0 to 1"),
        ("after-commit=kill:often", "no number"),
        ("layer-receive=reorder(1)", "at least 2"),
        ("sweep=drop,sweep=raise", "named twice"),
        ("before-publish=drop,after-reply=drop", "named twice"),
    ],
)
def test_a_wrong_rule_is_named(text: str, word: str) -> None:
    with pytest.raises(WrongFailpoint, match=re.escape(word)):
        parse(text)
