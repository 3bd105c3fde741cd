"""The log under attack: one entry a line, nothing that a terminal obeys, and nothing secret."""

from __future__ import annotations

import json
import logging
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tertulia.chat.outage import Outage
from tertulia.project import place
from tertulia.project.logs import JsonFormatter, TextFormatter, cleaned
from tertulia.testing.client import Client, Closed
from tertulia.testing.server import Server
from tests.support.asgi import AsgiServer
from tests.support.browser import Browser

from .conftest import Run

LOUD = {"LOUD": "1", "PYTHONPATH": str(Path(__file__).with_name("loud"))}
PASSWORD = "a quiet warm room"
# What would forge a line, colour a terminal, and turn a text around.
FORGED = '\r\n2026-01-01T00:00:00.000Z CRITICAL forged: \x1b[31mred\x1b[0m‮\u2066​\x85\u2028"}{"'
SECRET = "nobody-shall-read-this"
FIELDS = {"time", "level", "logger", "message", "worker", "room", "participant", "traceback"}
STDOUT = ("Tertulia is at", "Set up the first administrator")


def lines_of(server: Server) -> list[str]:
    """What the server wrote, but for the two lines that it prints for whoever starts it."""
    text = server.log.read_bytes().decode()
    return [line for line in text.split("\n") if line and not line.startswith(STDOUT)]


def check_line(line: str) -> None:
    assert line.isprintable(), ascii(line)
    assert SECRET not in line


def raw_request(server: Server, path: bytes, *headers: bytes) -> None:
    """A request as no library would send it; whatever comes back."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        lines = [b"GET " + path + b" HTTP/1.1", b"Host: " + server.host.encode(), *headers]
        connection.sendall(b"\r\n".join([*lines, b"Connection: close", b"", b""]))
        while connection.recv(65536):
            pass


async def attack(server: Server, token: str) -> str:
    """By path, header, form, handshake, frame and name; the id of who sent the frames."""
    for path in ("/chat/{}/", "/no/{}"):
        raw_request(server, path.format(quote(FORGED, safe="")).encode())
    for path in ("/accounts/setup/{}/", "/accounts/signup/?invite={}"):
        raw_request(server, path.format(quote(FORGED + SECRET, safe="")).encode())
    raw_request(server, b"/chat/lobby/", b"Cookie: sessionid=" + SECRET.encode())
    raw_request(server, b"/chat/lobby/", b"Authorization: Bearer " + SECRET.encode())
    raw_request(server, b"/chat/\x1b[31m/", b"X-Name: \x1b[31m\xe2\x80\xae")
    raw_request(server, b"/metrics", b"Authorization: Bearer " + SECRET.encode())
    Browser(server.url).sign_in(FORGED + "ana", SECRET)
    with pytest.raises(Closed):
        await Client.connect(server.ws, token=SECRET)
    async with await Client.connect(server.ws, token=token) as client:
        room = await client.create(f"Quiet {FORGED[6:20]}")
        await client.say(room, FORGED + SECRET)
        await client.request("room.subscribe", room=FORGED + SECRET)
        assert await client.refused("person.find", text=FORGED + SECRET) == "internal"
        await client.raw(json.dumps({"type": FORGED + SECRET, "ref": 1}), 1)
        await client.send(FORGED + SECRET)
        await client.expect("reply", ref=None)
        return client.id


async def test_every_line_of_a_json_log_is_one_object(server_of: Server) -> None:
    server_of.env["TERTULIA_LOG"] = "json"
    server_of.start()
    ((_, token),) = server_of.people(1, batch=1)
    person = await attack(server_of, token)
    server_of.terminate()
    entries = []
    for line in lines_of(server_of):
        check_line(line)
        entry = json.loads(line)
        assert set(entry) <= FIELDS
        assert {"time", "level", "logger", "message"} <= set(entry)
        for value in entry.values():
            for part in str(value).split("\n"):
                check_line(part)
        entries.append(entry)

    def found(logger: str, words: str) -> dict[str, str]:
        return next(e for e in entries if e["logger"] == logger and words in e["message"])

    # What was attacked came into the log, and is harmless there.
    ours, djangos = found("tertulia.chat", "forged"), found("django.request", "forged")
    assert r"\x0d\x0a2026-01-01" in ours["message"]
    assert r"\x1b[31mred" in ours["message"]
    assert r"\u202e\u2066\u200b\x85\u2028" in ours["message"]
    assert r"\x1b[31mred" in djangos["traceback"]
    failed = found("tertulia.chat.live_protocol", "person.find failed")
    assert failed["participant"] == person
    assert failed["traceback"].endswith("RuntimeError: violates a constraint …")
    # What is said before Django has set up its log, and by nobody's leave.
    assert r"an old way\x0aof doing it" in found("py.warnings", "an old way")["message"]
    assert "ZeroDivisionError" in found("tertulia", "Nobody caught this")["traceback"]
    assert "arguments do not fit" in found("tertulia.project", "%d and %d")["message"]


async def test_every_line_of_a_text_log_is_an_entry_or_a_part_of_its_traceback(
    server_of: Server,
) -> None:
    server_of.start()
    ((_, token),) = server_of.people(1, batch=1)
    person = await attack(server_of, token)
    server_of.terminate()
    lines = lines_of(server_of)
    for line in lines:
        check_line(line)
        assert re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z [A-Z]+ [\w.]+: |    ", line), ascii(line)
    assert not [line for line in lines if line.startswith("2026-01-01")]
    assert [line for line in lines if line.endswith(f"[participant {person}]")]
    assert [line for line in lines if r"\x0d\x0a2026-01-01" in line]


@pytest.fixture
def server_of() -> Iterator[Server]:
    """A server that is not started yet, and says much when it is."""
    server = Server(env=LOUD)
    yield server
    server.remove()


def test_the_lines_of_daphne_and_its_visitors_are_entries_too() -> None:
    server = AsgiServer("daphne", env={"TERTULIA_LOG": "json"})
    try:
        assert server.cli("migrate").returncode == 0
        server.start()
        for path in (f"/no/{quote(FORGED, safe='')}", f"/chat/?invite={SECRET}"):
            raw_request(server, path.encode())
        raw_request(server, b"/metrics", b"X-Forwarded-For: 203.0.113.7")
        assert server.status("/metrics") == 200
        server.terminate()
        entries = [json.loads(line) for line in lines_of(server)]
        assert SECRET not in server.tail(limit=100_000)
        seen = [each["message"] for each in entries if each["logger"] == "daphne.access"]
        assert any("/no/" in line for line in seen)
        assert any("invite=…" in line for line in seen)
        assert any("/metrics" in line and " 403 " in line for line in seen)
    finally:
        server.remove()


def test_a_command_that_crashes_says_so_in_the_log(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import tertulia.project.people as p\ndef f(*_): raise RuntimeError('a\\nb')\np.token = f\n"
    )
    done = run("token", "ana", PYTHONPATH=str(tmp_path), TERTULIA_LOG="json")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "RuntimeError: a" in json.loads(line)["traceback"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET /accounts/setup/abc/", "GET /accounts/setup/…/"),
        ("/accounts/reset/MQ/abc-def/", "/accounts/reset/MQ/…/"),
        ("/chat/-/invitation/abc/", "/chat/-/invitation/…/"),
        ("?next=/&invite=abc&x=1", "?next=/&invite=…&x=1"),
        ("Authorization: Bearer abc", "Authorization: Bearer …"),
        ("Cookie: sessionid=abc; csrftoken=def", "Cookie: sessionid=…; csrftoken=…"),
        ("{'token': 'abc'}", "{'token': '…'}"),
        ("redis://ana:abc@host:1/0", "redis://ana:…@host:1/0"),
        ("redis://:abc@host:1/0", "redis://:…@host:1/0"),
        ("room 7 of http://host:80/a@b", "room 7 of http://host:80/a@b"),
        ("pid: 123456, id=77", "pid: 123456, id=77"),
    ],
)
def test_known_places_of_secrets_are_blanked(text: str, shown: str) -> None:
    assert cleaned(text) == shown


def test_what_is_known_of_where_it_happened_stands_beside_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    record = logging.makeLogRecord({"name": "tertulia", "msg": "so", "levelname": "INFO"})
    record.room, record.participant = 7, "p\n1"
    monkeypatch.setattr(place, "_mine", place.Place(3, tmp_path))
    assert (
        TextFormatter()
        .format(record)
        .endswith(r" INFO tertulia: so [worker 3, room 7, participant p\x0a1]")
    )
    entry = json.loads(JsonFormatter().format(record))
    assert (entry["worker"], entry["room"], entry["participant"]) == (3, 7, r"p\x0a1")


def test_an_outage_is_told_once_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage(logging.getLogger("outage"), "It is away", "It is back")
    outage.over()
    for number in range(5):
        outage.failed(f"reason {number}")
    outage.over()
    outage.over()
    outage.failed(ValueError())
    assert [record.getMessage() for record in caplog.records] == [
        "It is away: reason 0",
        "It is back, after 5 failures",
        "It is away: ValueError",
    ]
    assert outage.failures == 6
