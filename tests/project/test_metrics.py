"""`/metrics`: what is counted, by worker and summed, and who may read it."""

from __future__ import annotations

import http.client
import os
import re
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tertulia.project import place
from tertulia.project.metrics.families import FAMILIES
from tertulia.testing.client import Client, Closed
from tertulia.testing.processes import alive, wait_for
from tertulia.testing.server import Server
from tertulia.testing.services import Postgres, Redis
from tests.chat.test_slow import Unread
from tests.support.browser import Browser
from tests.support.classic import ClassicClient
from tests.support.metrics import Scrape

PASSWORD = "a quiet warm room"
OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


@pytest.fixture(scope="module")
def site() -> Iterator[Server]:
    """With its rates on, so that they can be exceeded; an administrator is root."""
    server = Server()
    server.createuser("root", admin=True, password=PASSWORD)
    server.start()
    # All at once: each enrolment is a command of its own.
    server.pool = server.people(16, batch=16)
    yield server
    server.remove()


def until(server: Server, name: str, value: float, **labels: str) -> Scrape:
    """What is counted on the server's side may come a moment after the client's."""
    wait_for(lambda: Scrape.of(server)(name, **labels) >= value, 10, f"{name} {labels} {value}")
    return Scrape.of(server)


def test_every_metric_is_there_twice_with_its_help_and_type(site: Server) -> None:
    found = Scrape.of(site)
    for family in FAMILIES:
        for prefix, text in (("tertulia_", ""), ("tertulia_worker_", "By worker: ")):
            assert found.types[prefix + family.name] == family.kind
            assert found.help[prefix + family.name] == text + family.help
    assert len(found.types) == 2 * len(FAMILIES)
    assert found.workers == {"0"}
    assert found("workers") == 1
    assert found("resident_memory_bytes") > 10e6
    assert found("open_files") > 5


def test_the_documentation_lists_every_metric_as_it_is(site: Server) -> None:
    text = OPERATIONS.read_text()
    for family in FAMILIES:
        labels = f" ({', '.join(family.labels)})" if family.labels else ""
        assert f"| `{family.name}`{labels} | {family.kind} | {family.help} |" in text, family.name
    rows = re.findall(r"^\| `(\w+)`[^|]*\| (?:counter|gauge|histogram) \|", text, re.MULTILINE)
    assert rows == [family.name for family in FAMILIES]


async def test_sockets_deliveries_and_commits_are_counted(site: Server) -> None:
    before = Scrape.of(site)
    (_, ana), (_, bea), (_, eva) = site.people(3)
    async with (
        await Client.connect(site.ws, token=ana) as first,
        await Client.connect(site.ws, token=bea) as second,
    ):
        room = await first.create("Counted")
        await first.subscribe(room)
        await second.subscribe(room)
        async with await ClassicClient.connect(site.ws, room, token=eva) as third:
            for number in range(5):
                await first.say(room, f"number {number}")
            await third.hears("number 0")
            head = first.views[room].seq
            await second.reached(room, head)
            after = Scrape.of(site)
            assert after("connections", protocol="v1") == before("connections", protocol="v1") + 2
            assert after("connections", protocol="classic") == 1
            assert after("subscriptions") == before("subscriptions") + 3
            assert after("rooms") >= 1
    # Three subscribers, five messages each; the room's first event came before they did.
    assert after("deliveries_total") - before("deliveries_total") == 15
    assert after("delivered_bytes_total") - before("delivered_bytes_total") > 15 * 200
    assert after("events_total") - before("events_total") >= 6
    sent = {"command": "message.send", "outcome": "ok"}
    assert after("commands_total", **sent) - before("commands_total", **sent) == 5
    assert after("commit_seconds_count") > before("commit_seconds_count")
    assert after("commit_seconds_sum") > before("commit_seconds_sum")
    assert after("commit_actions_sum") - before("commit_actions_sum") >= 6
    assert after("frames_received_total") - before("frames_received_total") >= 8
    assert after("event_loop_lag_seconds_count") > 0
    gone = until(site, "connections_closed_total", 3, code="0")
    assert gone("connections") == before("connections")
    assert gone("subscriptions") == before("subscriptions")


async def test_resumes_and_resets_are_told_apart(site: Server) -> None:
    before = Scrape.of(site)
    ((_, ana),) = site.people(1)
    async with await Client.connect(site.ws, token=ana) as client:
        room = await client.create("Resumed")
        await client.subscribe(room)
        view = client.views[room]
        await client.resume(room, view)
        for after, epoch in ((1, "another"), (99, client.welcome["epoch"])):
            result = await client.cmd("room.subscribe", room=room, after=after, epoch=epoch)
            assert result["reset"]
    later = Scrape.of(site)
    for name, labels in (
        ("fresh_subscriptions_total", {}),
        ("resumes_total", {}),
        ("resets_total", {"reason": "epoch"}),
        ("resets_total", {"reason": "ahead"}),
    ):
        assert later(name, **labels) - before(name, **labels) == 1, (name, labels)
    assert later("resets_total") - before("resets_total") == 2


async def test_refusals_rates_and_close_codes_are_counted(site: Server) -> None:
    before = Scrape.of(site)
    ((_, ana),) = site.people(1)
    async with await Client.connect(site.ws, token=ana) as client:
        assert await client.refused("room.subscribe", room="no-such-room") == "not_found"
        await client.raw('{"type": "no.such", "ref": 7}', 7)
        room = await client.create("Rated")
        for _ in range(22):
            await client.request("typing.start", room=room)
        await client.socket.send(b"binary")
        assert (await client.closing()).code == 4400
    with pytest.raises(Closed):
        await Client.connect(site.ws, token="wrong")
    after = Scrape.of(site)

    def grown(name: str, **labels: str) -> float:
        return after(name, **labels) - before(name, **labels)

    assert grown("commands_total", command="room.subscribe", outcome="not_found") == 1
    assert grown("commands_total", command="malformed", outcome="unknown_command") == 1
    assert grown("commands_total", command="typing.start", outcome="rate_limited") >= 1
    assert grown("rates_exceeded_total", rate="typing") >= 1
    assert grown("connections_closed_total", code="4400") == 1
    assert grown("connections_closed_total", code="4401") == 1


def test_sign_ins_and_responses_are_counted(site: Server) -> None:
    before = Scrape.of(site)
    browser = Browser(site.url)
    browser.sign_in("root", "wrong")
    assert browser.sign_in("root", PASSWORD).status == 200
    assert browser.get("/no/such/page").status == 404
    after = Scrape.of(site)
    for outcome in ("ok", "refused"):
        grown = after("sign_ins_total", outcome=outcome) - before("sign_ins_total", outcome=outcome)
        assert grown == 1
    assert after("http_responses_total", status="4xx") > before(
        "http_responses_total", status="4xx"
    )


async def test_a_full_outbox_shows_and_so_does_its_end(site: Server) -> None:
    (_, ana), (_, bea) = site.people(2)
    async with await Client.connect(site.ws, token=ana) as client:
        room = await client.create("Slow")
        unread = Unread(site, bea)
        unread.send({"type": "room.subscribe", "ref": 1, "room": room})
        unread.wait_reply()
        before, fullest = Scrape.of(site), 0.0
        # Some MiB go into the sockets' own buffers before anything waits.
        for _ in range(13):
            for _ in range(20):
                await client.say(room, "\N{GRINNING FACE}" * 9_900)
            now = Scrape.of(site)
            assert now("outbox_bytes") >= now("outbox_greatest_bytes")
            fullest = max(fullest, now("outbox_greatest_bytes"))
            if now("connections_closed_total", code="1013"):
                break
        assert fullest > 100_000
        assert now("connections_closed_total", code="1013") == 1
        assert now("outbox_overflows_total") == before("outbox_overflows_total") + 1
        unread.close_code()


async def test_what_another_process_wrote_is_a_gap_that_the_sweep_finds(site: Server) -> None:
    before = Scrape.of(site)
    ((_, ana),) = site.people(1)
    async with await Client.connect(site.ws, token=ana) as client:
        room = await client.create("Swept")
        await client.subscribe(room)
        head = client.views[room].seq
        code = "from tertulia.chat import post; from tertulia.chat.models import Participant as P;"
        site.shell(f"{code} post({room!r}, P.objects.get(name={client.name!r}), 'hola')")
        await client.reached(room, head + 1)
    after = until(site, "gaps_repaired_total", before("gaps_repaired_total", by="sweep") + 1)
    assert after("gaps_found_total", by="sweep") == before("gaps_found_total", by="sweep") + 1
    assert after("repaired_events_total") == before("repaired_events_total") + 1


# Who may read


def ask(server: Server, method: str = "GET", **headers: str) -> tuple[int, str]:
    """The status and the body, with headers of our choosing, Host too."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, "/metrics", headers=names)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


AWAY = {"X_Forwarded_For": "203.0.113.7"}


@pytest.mark.parametrize(
    "headers",
    [
        AWAY,
        {"Forwarded": "for=203.0.113.7"},
        {"X_Real_IP": "203.0.113.7"},
        {"Host": "chat.example.org"},
        {"Host": "127.0.0.1.example.org"},
        {**AWAY, "Authorization": "Bearer wrong"},
        {**AWAY, "Authorization": "Basic cm9vdDpyb290"},
        {**AWAY, "Cookie": "sessionid=wrong"},
    ],
)
def test_who_comes_from_elsewhere_is_refused_and_told_how(
    site: Server, headers: dict[str, str]
) -> None:
    status, text = ask(site, **headers)
    assert status == 403
    assert "tertulia token NAME" in text
    assert "tertulia_" not in text


def test_an_administrator_reads_them_from_anywhere(site: Server) -> None:
    ((_, member),) = site.people(1)
    root = site.token("root")
    assert ask(site, **AWAY, Authorization=f"Bearer {root}")[0] == 200
    assert ask(site, **AWAY, Authorization=f"Bearer {member}")[0] == 403
    browser = Browser(site.url)
    browser.sign_in("root", PASSWORD)
    assert ask(site, **AWAY, Cookie=browser.cookie)[0] == 200
    site.shell(
        "from django.contrib.auth.models import User;"
        "User.objects.filter(username='root').update(is_superuser=False)"
    )
    assert ask(site, **AWAY, Authorization=f"Bearer {root}")[0] == 403
    assert ask(site, **AWAY, Cookie=browser.cookie)[0] == 403


def test_they_are_only_to_be_read(site: Server) -> None:
    assert ask(site, "POST")[0] == 405
    assert ask(site, "HEAD") == (200, "")


# Several workers


@pytest.fixture(scope="module")
def workers(postgres: Postgres, redis: Redis) -> Iterator[Server]:
    """Two; the last test ends them."""
    server = Server(database_url=postgres.new_database(tables=True), redis_url=redis.url, workers=2)
    server.start()
    yield server
    server.remove()


def serving(server: Server) -> list[int]:
    """The workers; Python keeps a process beside them, which serves nobody."""
    return [
        pid
        for pid in server.worker_pids()
        if alive(pid) and b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


async def test_each_worker_and_the_sum_whoever_answers(workers: Server) -> None:
    wait_for(lambda: Scrape.of(workers).workers == {"0", "1"}, 20, "both workers have told")
    people = workers.people(8)
    clients = [await Client.connect(workers.ws, token=token) for _, token in people]
    try:
        room = await clients[0].create("Both")
        for client in clients:
            await client.subscribe(room)
        for number in range(10):
            await clients[0].say(room, f"number {number}")
        head = clients[0].views[room].seq
        for client in clients:
            await client.reached(room, head)
        wait_for(
            lambda: Scrape.of(workers)("deliveries_total") >= 80, 10, "all deliveries are told"
        )
        scrape = Scrape.of(workers)
        for name in ("deliveries_total", "connections", "events_total", "commit_seconds_count"):
            parts = [scrape(name, worker=number) for number in ("0", "1")]
            assert scrape(name) == sum(parts), name
        assert scrape("deliveries_total") == 80
        assert scrape("connections") == 8
        assert scrape("workers") == 2
        assert scrape("outbox_greatest_bytes") == max(
            scrape("outbox_greatest_bytes", worker=number) for number in ("0", "1")
        )

        # A worker that dies takes its gauges along, and leaves what it has counted.
        before = serving(workers)
        os.kill(before[0], signal.SIGKILL)
        wait_for(lambda: not alive(before[0]), 10, "it is dead")
        wait_for(lambda: len(serving(workers)) == 2, 30, "another worker takes its place")
        assert serving(workers) != before
        wait_for(lambda: Scrape.of(workers)("workers") == 2, 30, "it has told")
        later = Scrape.of(workers)
        assert later.workers == {"0", "1"}
        assert later("connections") < 8
        for name, kind in scrape.types.items():
            if kind != "counter" or name.startswith("tertulia_worker_"):
                continue
            short = name.removeprefix("tertulia_")
            assert later(short) >= scrape(short), short
        for worker in ("0", "1"):
            short = "deliveries_total"
            assert later(short, worker=worker) >= scrape(short, worker=worker)
    finally:
        for client in clients:
            await client.close()


async def test_the_folder_of_the_workers_is_private_and_goes_with_them(
    workers: Server, tmp_path: Path
) -> None:
    pid = serving(workers)[0]
    environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    (named,) = [line for line in environment if line.startswith(b"TERTULIA_RUN=")]
    folder = Path(named.partition(b"=")[2].decode())
    wait_for(lambda: (folder / "0.json").exists(), 10, "a worker has told")
    assert folder.stat().st_mode & 0o777 == 0o700
    workers.terminate()
    assert not folder.exists()


def test_a_folder_whose_parent_was_killed_is_tidied_away_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "tertulia-run-left"
    left.mkdir()
    (left / "parent.lock").touch()
    (left / "0.json").touch()
    with place.run_folder() as mine, place.run_folder() as other:
        assert set(tmp_path.iterdir()) == {mine, other}
    assert not list(tmp_path.iterdir())
