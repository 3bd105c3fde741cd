"""Starting, stopping, and telling how one is; under every ASGI server: `test_servers.py`."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tertulia.testing.client import Client, Closed, open_socket
from tertulia.testing.processes import alive, wait_for
from tertulia.testing.server import Server
from tertulia.testing.services import Postgres, Redis


@pytest.fixture
def server() -> Iterator[Server]:
    """One of this test's own, not started."""
    made = Server()
    yield made
    made.remove()


def answer(server: Server, path: str) -> tuple[int, str]:
    """Status and body of a GET."""
    try:
        with urllib.request.urlopen(server.url + path, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_data_folder_is_made_and_kept_from_others(tmp_path: Path) -> None:
    data = tmp_path / "deep" / "data"
    server = Server(data=tmp_path, arguments=["--data", str(data)])
    server.start()
    try:
        assert mode(data) == 0o700
        key = data / "secret-key"
        assert mode(key) == 0o600
        assert len(key.read_text().strip()) >= 32
        before = key.read_text()
        server.restart()
        assert key.read_text() == before
    finally:
        server.remove()


def test_the_server_takes_as_many_open_files_as_it_may(server: Server) -> None:
    """A shell's default is a thousand, and each socket is one."""
    server.prefix = ["sh", "-c", 'ulimit -Sn 512; ulimit -Hn 4000; exec "$@"', "-"]
    server.start()
    assert server.process
    limits = Path(f"/proc/{server.process.pid}/limits").read_text()
    assert re.search(r"^Max open files +4000 +4000 ", limits, re.M), limits
    assert "setup" in server.tail()


def test_the_address_and_a_set_up_link_are_printed(server: Server) -> None:
    server.start()
    output = server.tail()
    assert server.url in output
    assert re.search(re.escape(server.url) + r"/\S*setup\S+", output)


def test_no_set_up_link_where_there_is_an_administrator(server: Server) -> None:
    server.createuser("root", admin=True)
    server.start()
    assert "setup" not in server.tail().lower().replace("-", "")


def test_readiness_under_any_host_name(server: Server) -> None:
    """Whatever watches the process does not know the site's name."""
    server.start()
    request = urllib.request.Request(server.url + "/healthz", headers={"Host": "10.1.2.3"})
    with urllib.request.urlopen(request, timeout=10) as response:
        assert response.status == 200


def test_readiness_names_what_does_not_answer() -> None:
    postgres, redis = Postgres().start(), Redis().start()
    server = Server(database_url=postgres.new_database(tables=True), redis_url=redis.url)
    try:
        server.start()
        redis.kill9()
        wait_for(lambda: answer(server, "/readyz")[0] == 503, 10, "not ready without Redis")
        body = answer(server, "/readyz")[1]
        assert "layer" in body
        assert "database" not in body
        assert answer(server, "/healthz")[0] == 200
        redis.start()
        wait_for(server.ready, 10, "ready with Redis again")
        assert postgres.process
        postgres.process.stop(signal.SIGINT)
        wait_for(lambda: answer(server, "/readyz")[0] == 503, 10, "not ready without a database")
        body = answer(server, "/readyz")[1]
        assert "database" in body
        assert "layer" not in body
        assert answer(server, "/healthz")[0] == 200
        postgres.start()
        wait_for(server.ready, 20, "ready with the database again")
    finally:
        server.remove()
        redis.remove()
        postgres.remove()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_polite_signal_ends_it_with_status_0(server: Server, number: signal.Signals) -> None:
    server.start()
    assert server.process
    assert server.process.stop(number) == 0
    assert "Traceback" not in server.tail()


def test_killed_it_starts_again_on_the_same_port(server: Server) -> None:
    server.start()
    for _ in range(2):
        server.restart()
        assert server.ready()


def test_port_0_takes_a_free_one_and_says_which(tmp_path: Path) -> None:
    server = Server(data=tmp_path, arguments=["--port", "0"]).start(wait=False)
    try:
        wait_for(lambda: "Tertulia is at" in server.tail(), 30, "the address is printed")
        found = re.search(r"http://127\.0\.0\.1:(\d+)", server.tail())
        assert found
        server.port = int(found.group(1))
        server.wait_ready()
    finally:
        server.remove()


def test_two_servers_starting_on_one_new_database() -> None:
    postgres, redis = Postgres().start(), Redis().start()
    url = postgres.new_database()
    servers = [Server(database_url=url, redis_url=redis.url) for _ in range(2)]
    try:
        for server in servers:
            server.start(wait=False)
        for server in servers:
            server.wait_ready()
    finally:
        for server in servers:
            server.remove()
        redis.remove()
        postgres.remove()


async def test_two_workers_serve_and_a_killed_one_is_replaced(
    postgres: Postgres, redis: Redis
) -> None:
    env = {"TERTULIA_LIMITS": "off"}
    server = Server(
        database_url=postgres.new_database(tables=True), redis_url=redis.url, workers=2, env=env
    ).start()
    try:
        pids = server.worker_pids()
        assert len([pid for pid in pids if alive(pid)]) >= 2
        ((_, token),) = server.people(1, batch=1)
        clients = [await Client.connect(server.ws, token=token) for _ in range(8)]
        room = await clients[0].create("Two workers")
        for client in clients:
            await client.subscribe(room)
        await clients[0].say(room, "hola")
        for client in clients:
            await client.reached(room, 2)
        os.kill(pids[-1], signal.SIGKILL)
        wait_for(
            lambda: len([p for p in server.worker_pids() if alive(p) and p not in pids]) >= 1,
            20,
            "a new worker",
        )
        wait_for(server.ready, 20, "ready again")
        for client in clients:
            await client.close()
        async with await Client.connect(server.ws, token=token) as client:
            assert (await client.cmd("room.subscribe", room=room))["head"] == 2
    finally:
        server.remove()


def test_the_workers_die_with_their_parent(postgres: Postgres, redis: Redis) -> None:
    server = Server(
        database_url=postgres.new_database(tables=True), redis_url=redis.url, workers=2
    ).start()
    try:
        pids = server.worker_pids()
        assert server.process
        os.kill(server.process.pid, signal.SIGKILL)
        wait_for(lambda: not any(alive(pid) for pid in pids), 10, "the workers are gone")
    finally:
        server.remove()


async def test_redis_away_at_the_start_is_no_reason_not_to_serve(postgres: Postgres) -> None:
    redis = Redis()
    server = Server(database_url=postgres.new_database(tables=True), redis_url=redis.url)
    try:
        server.start(wait=False)
        wait_for(lambda: server.status("/healthz") == 200, 30, "it lives")
        assert answer(server, "/readyz")[0] == 503
        ((_, token),) = server.people(1, batch=1)
        async with await Client.connect(server.ws, token=token) as client:
            room = await client.create("Without Redis")
            await client.subscribe(room)
            await client.say(room, "hola")
            await client.reached(room, 2)
            redis.start()
            wait_for(server.ready, 20, "ready with Redis")
            await client.say(room, "buenas")
            await client.reached(room, 3)
    finally:
        server.remove()
        redis.remove()


def test_a_json_log_is_json(server: Server) -> None:
    server.env["TERTULIA_LOG"] = "json"
    server.start()
    answer(server, "/no/such/page")
    assert server.process
    server.process.stop()
    for line in server.tail().splitlines():
        if not line.startswith(("Tertulia is at", "Set up")):
            assert isinstance(json.loads(line), dict)


async def test_no_token_and_no_text_in_the_log(server: Server) -> None:
    server.start()
    ((_, token),) = server.people(1, batch=1)
    async with await Client.connect(server.ws, token=token) as client:
        room = await client.create("Quiet")
        await client.say(room, "a-secret-sentence")
        await client.send('{"type": "a-secret-sentence", "ref": 1}')
        await client.expect("reply", ref=1)
    with pytest.raises(Closed):
        await Client.connect(server.ws, token="a-secret-token")
    assert server.process
    server.process.stop()
    assert token not in server.tail()
    assert "a-secret" not in server.tail()


async def test_compression_is_not_agreed_on(server: Server) -> None:
    server.start()
    ((_, token),) = server.people(1, batch=1)
    headers = {"Sec-WebSocket-Extensions": "permessage-deflate"}
    socket = await open_socket(server.ws + "/ws/", token=token, headers=headers)
    assert socket.response
    assert "Sec-WebSocket-Extensions" not in socket.response.headers
    await socket.close()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/accounts/login/", 200),
        ("/admin/", 200),
        ("/no/such/page", 404),
        ("/chat/no-such-room/", 200),
    ],
)
def test_pages_for_who_is_not_signed_in(embedded: Server, path: str, status: int) -> None:
    """A 200 is the sign-in page where one must be signed in."""
    assert answer(embedded, path)[0] == status


def test_security_headers(embedded: Server) -> None:
    with urllib.request.urlopen(embedded.url + "/accounts/login/", timeout=10) as response:
        headers = response.headers
    policy = headers["Content-Security-Policy"]
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_cookies_are_secure_where_the_public_address_is(server: Server) -> None:
    server.env["TERTULIA_URL"] = "https://chat.example.org"
    server.start()
    request = urllib.request.Request(
        server.url + "/accounts/login/", headers={"Host": "chat.example.org"}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        cookies = response.headers.get_all("Set-Cookie") or []
    assert cookies
    for cookie in cookies:
        assert "Secure" in cookie
        assert "SameSite=Lax" in cookie
