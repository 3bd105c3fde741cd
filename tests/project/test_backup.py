"""`tertulia backup` and `tertulia restore`, beside servers that run and on other machines."""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from tertulia.testing.client import Client
from tertulia.testing.installation import Installation, running
from tertulia.testing.server import Server, clean_environment
from tertulia.testing.services import Postgres, Redis
from tertulia.testing.stored import rows
from tests.conftest import RELAXED

from .conftest import Run, check_refused

# What breaks a file of lines and tabs if it is not looked after.
TEXTS = ["a\tb", "one\ntwo\r\nthree", "\\N", "\\", "c:\\new\\table", "¿Qué? 🐧", "'\"%s; --", "N"]

Make = Callable[..., Installation]


@pytest.fixture
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """`make("sqlite")` or `make("postgres")`: an installation of the test's own."""
    with ExitStack() as stack:

        def made(kind: str) -> Installation:
            if kind == "sqlite":
                return stack.enter_context(running(Installation([Server(env=RELAXED).start()])))
            postgres: Postgres = request.getfixturevalue("postgres")
            redis: Redis = request.getfixturevalue("redis")
            return stack.enter_context(running(Installation.scaled(postgres, redis, RELAXED)))

        yield made


def done(server: Server, *arguments: str) -> str:
    """A command that succeeds; what it said on standard error."""
    ended = server.cli(*arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stderr


def manifest(file: Path) -> dict[str, Any]:
    with zipfile.ZipFile(file) as archive:
        found: dict[str, Any] = json.loads(archive.read("manifest.json"))
        return found


def tampered(file: Path, change: Callable[[str, bytes], bytes], name: str = "tampered") -> Path:
    """A copy of the archive with other contents; it is whole as a zip file."""
    other = file.with_name(name)
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(other, "w") as new:
        for part in old.namelist():
            new.writestr(part, change(part, old.read(part)))
    return other


def give_picture(server: Server, name: str) -> str:
    """A picture for somebody; its name in the folder of uploads."""
    return server.shell(
        "from tertulia.chat.models import Participant\n"
        "from tertulia.chat.profile.change import set_picture\n"
        f"p = Participant.objects.get(name={name!r})\n"
        "set_picture(p, b'some pixels of ' + p.name.encode())\n"
        "print(p.picture)"
    ).split()[-1]


async def talked(installation: Installation) -> dict[str, Any]:
    """A room in which everything has happened that leaves its own kind of row."""
    (name, token), (_, other) = installation.here.people(2)
    key = "0d1c9b8e-5a37-4f5e-9a3f-2f6f1c7d3a10"
    async with (
        await Client.connect(installation.here.ws, token=token) as ana,
        await Client.connect(installation.there.ws, token=other) as bea,
    ):
        room = await ana.create("Todo", "private", members=[bea.id])
        for text in TEXTS:
            last = await ana.say(room, text)
        await bea.say(room, f"@{name} hola", key=key)
        await ana.cmd("message.edit", room=room, seq=last["seq"], text="edited")
        await bea.cmd("reaction.add", room=room, seq=last["seq"], emoji="🐧")
        await ana.cmd("message.delete", room=room, seq=last["seq"] - 1)
        picture = give_picture(installation.here, name)
        seen = await seen_by(ana, room)
        epoch = ana.welcome["epoch"]
    return {"room": room, "token": token, "other": other, "key": key, "seen": seen,
            "picture": picture, "epoch": epoch, "name": name}  # fmt: skip


async def seen_by(client: Client, room: str) -> dict[str, Any]:
    """All that a client can read of a room, but for who is present."""
    state = await client.cmd("room.subscribe", room=room, limit=100)
    rooms = await client.cmd("room.list")
    return {
        "messages": state["messages"],
        "head": state["head"],
        "members": state["members"],
        "rooms": rooms["rooms"],
        "me": client.welcome["me"]["id"],
    }


# Everything comes back


@pytest.mark.parametrize(
    ("saved_from", "restored_into"),
    [
        ("sqlite", "sqlite"),
        ("sqlite", "postgres"),
        ("postgres", "sqlite"),
        ("postgres", "postgres"),
    ],
)
async def test_a_backup_is_everything_on_another_machine(
    make: Make, tmp_path: Path, postgres: Postgres, saved_from: str, restored_into: str
) -> None:
    installation = make(saved_from)
    it = await talked(installation)
    file = tmp_path / "backup"
    done(installation.here, "backup", str(file))
    url = postgres.new_database() if restored_into == "postgres" else None
    elsewhere = Server(database_url=url, env=RELAXED)
    try:
        done(elsewhere, "restore", str(file))
        elsewhere.start()
        async with await Client.connect(elsewhere.ws, token=it["token"]) as ana:
            assert ana.welcome["epoch"] != it["epoch"]
            now = await seen_by(ana, it["room"])
            before = dict(it["seen"])
            assert [m["text"] for m in now["messages"]][: len(TEXTS) - 2] == TEXTS[:-2]
            assert now == before
        async with await Client.connect(elsewhere.ws, token=it["other"]) as bea:
            again = await bea.cmd("message.send", room=it["room"], key=it["key"], text="other")
            assert again["duplicate"]
            assert (await bea.say(it["room"], "new"))["seq"] == it["seen"]["head"] + 1
        assert (elsewhere.data / "uploads" / it["picture"]).read_bytes().startswith(b"some pixels")
    finally:
        elsewhere.remove()


def test_sign_ins_hold_on_another_machine(make: Make, tmp_path: Path) -> None:
    """They are signed with the secret key, which the backup has."""
    here = make("sqlite").here
    file = tmp_path / "backup"
    done(here, "backup", str(file))
    elsewhere = Server(env=RELAXED)
    try:
        done(elsewhere, "restore", str(file))
        key = (elsewhere.data / "secret-key").read_bytes()
        assert key == (here.data / "secret-key").read_bytes()
        assert stat.S_IMODE((elsewhere.data / "secret-key").stat().st_mode) == 0o600
    finally:
        elsewhere.remove()


def test_a_key_from_elsewhere_is_not_in_the_file(tmp_path: Path, run: Run) -> None:
    given = {"TERTULIA_SECRET_KEY": "a-key-that-the-operator-keeps-himself"}
    file = tmp_path / "backup"
    assert run("createuser", "ana", **given).returncode == 0
    assert run("backup", str(file), **given).returncode == 0
    with zipfile.ZipFile(file) as archive:
        assert "secret-key" not in archive.namelist()
        assert not any(given["TERTULIA_SECRET_KEY"].encode() in archive.read(n)
                       for n in archive.namelist())  # fmt: skip


def test_a_backup_is_its_owners_alone(tmp_path: Path, run: Run) -> None:
    file = tmp_path / "backup"
    assert run("createuser", "ana").returncode == 0
    assert run("backup", str(file)).returncode == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert manifest(file)["format"] == 1
    assert [path.name for path in tmp_path.iterdir() if "unfinished" in path.name] == []


def test_a_backup_goes_through_a_pipe(tmp_path: Path, run: Run) -> None:
    assert run("createuser", "ana").returncode == 0
    here = [sys.executable, "-m", "tertulia"]
    env = clean_environment(TERTULIA_DATA=str(tmp_path / "data"))
    saved = subprocess.run([*here, "backup", "-"], env=env, cwd=tmp_path, capture_output=True)
    assert saved.returncode == 0, saved.stderr
    env["TERTULIA_DATA"] = str(tmp_path / "other")
    restored = subprocess.run(
        [*here, "restore", "-"], input=saved.stdout, env=env, cwd=tmp_path, capture_output=True
    )
    assert restored.returncode == 0, restored.stderr
    assert run("token", "ana", TERTULIA_DATA=str(tmp_path / "other")).returncode == 0


# While servers run


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_every_client_of_a_running_server_loads_afresh(
    make: Make, tmp_path: Path, kind: str
) -> None:
    installation = make(kind)
    it = await talked(installation)
    room, file = it["room"], str(tmp_path / "backup")
    clients = [
        await Client.connect(server.ws, token=it["token"]) for server in installation.servers
    ]
    for client in clients:
        await client.subscribe(room)
    said = done(installation.here, "backup", file)
    assert "1 room, 9 messages, 1 upload" in said
    later = [await clients[0].say(room, f"after the backup {n}") for n in range(5)]
    await clients[-1].reached(room, later[-1]["seq"])
    lost = give_picture(installation.here, it["name"])
    async with await Client.connect(installation.here.ws, token=it["token"]) as ana:
        unknown = await ana.create("Made after the backup")
    last_room = max(rows(installation.here, "SELECT id FROM tertulia_chat_room"))[0]
    said = done(installation.here, "restore", file)
    assert re.search(r"in the place of \d+ people, 2 rooms and 14 messages\.$", said.strip()), said
    for client in clients:
        assert (await client.closing()).code == 1012
    epochs = set()
    for server in installation.servers:
        async with await Client.connect(server.ws, token=it["token"]) as again:
            epochs.add(again.welcome["epoch"])
            result = await again.cmd(
                "room.subscribe", room=room, after=later[-1]["seq"], epoch=it["epoch"]
            )
            assert result["reset"] is True
            assert result["head"] == it["seen"]["head"]
            assert "after the backup" not in json.dumps(result["messages"])
            assert await again.refused("room.subscribe", room=unknown) == "not_found"
    assert len(epochs) == 1
    assert epochs != {it["epoch"]}
    # What is written from now on is numbered from the backup on, and seen by everybody.
    async with (
        await Client.connect(installation.here.ws, token=it["token"]) as ana,
        await Client.connect(installation.there.ws, token=it["other"]) as bea,
    ):
        await bea.subscribe(room)
        sent = await ana.say(room, "a new history")
        assert sent["seq"] == it["seen"]["head"] + 1
        await bea.reached(room, sent["seq"])
        await ana.create("Another room")
    # No id is ever used again: what some process remembers never means something else.
    assert max(rows(installation.here, "SELECT id FROM tertulia_chat_room"))[0] > last_room
    uploads = installation.here.data / "uploads"
    assert (uploads / it["picture"]).exists()
    assert not (uploads / lost).exists()
    found = installation.here.cli("doctor").stdout.splitlines()
    # The tests' own PostgreSQL does without.
    assert not [line for line in found if line.startswith("fault") and "fsync" not in line]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_mark_alone_makes_clients_load_afresh(make: Make, kind: str) -> None:
    installation = make(kind)
    ((_, token),) = installation.here.people(1)
    client = await Client.connect(installation.there.ws, token=token)
    room = await client.create("Marked")
    sent = await client.say(room, "kept")
    done(installation.here, "restore", "--mark")
    assert (await client.closing()).code == 1012
    async with await Client.connect(installation.there.ws, token=token) as again:
        assert again.welcome["epoch"] != client.welcome["epoch"]
        old = client.welcome["epoch"]
        result = await again.cmd("room.subscribe", room=room, after=sent["seq"], epoch=old)
        assert result["reset"] is True
        assert [message["text"] for message in result["messages"]] == ["kept"]


async def test_nothing_meant_for_the_old_history_is_written_to_the_new(
    make: Make, tmp_path: Path
) -> None:
    """A command that comes before the process has noticed: it is not carried out, and repeated."""
    installation = make("sqlite")
    it = await talked(installation)
    client = await Client.connect(installation.here.ws, token=it["token"])
    with closing(sqlite3.connect(installation.here.database_file(), timeout=20)) as database:
        database.execute("UPDATE tertulia_chat_installation SET epoch = 'another'")
        database.commit()
    answer = await client.request("message.send", room=it["room"], key=it["key"], text="early")
    assert answer["error"]["code"] == "unavailable"
    assert (await client.closing()).code == 1012
    async with await Client.connect(installation.here.ws, token=it["token"]) as again:
        assert again.welcome["epoch"] == "another"
        assert (await again.cmd("room.subscribe", room=it["room"]))["head"] == it["seen"]["head"]


# What goes wrong


def test_what_cannot_be_is_said_in_one_line(tmp_path: Path, run: Run) -> None:
    nothing = tmp_path / "nothing"
    nothing.write_bytes(b"no archive at all")
    check_refused(run("restore", str(tmp_path / "absent")), "cannot read")
    check_refused(run("restore"), "FILE", "--mark")
    check_refused(run("restore", str(nothing), "--mark"), "not allowed")
    check_refused(run("backup", str(tmp_path)), "folder")
    check_refused(run("backup", str(tmp_path / "no" / "folder")), "No such file")
    failed(run("restore", str(nothing)), "no whole backup")


def failed(ended: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit status 1 and one line."""
    assert ended.returncode == 1, (ended.stdout, ended.stderr)
    (line,) = ended.stderr.strip().splitlines()
    for word in words:
        assert word in line, line


@pytest.fixture(params=["sqlite", "postgres"])
async def saved(request: pytest.FixtureRequest, make: Make, tmp_path: Path) -> Any:
    """An installation in use, and a backup of it."""
    installation = make(request.param)
    it = await talked(installation)
    done(installation.here, "backup", str(tmp_path / "backup"))
    return installation, it, tmp_path / "backup"


async def test_a_restore_that_fails_changes_nothing(saved: Any) -> None:
    """The backup is damaged, from a newer version, incomplete, or does not hold together."""
    installation, it, file = saved
    epochs = rows(installation.here, "SELECT epoch FROM tertulia_chat_installation")

    def other_byte(part: str, content: bytes) -> bytes:
        return content.replace(b"hola", b"hole") if part.endswith("_message") else content

    def newer(part: str, content: bytes) -> bytes:
        if part != "manifest.json":
            return content
        found = json.loads(content)
        found["migrations"].append(["tertulia_chat", "9999_the_future"])
        found["version"] = "99.0"
        return json.dumps(found).encode()

    def next_format(part: str, content: bytes) -> bytes:
        return content.replace(b'"format": 1', b'"format": 2') if "manifest" in part else content

    ended = installation.here.cli("restore", str(tampered(file, other_byte)))
    failed(ended, "damaged", "tertulia_chat_message")
    ended = installation.here.cli("restore", str(tampered(file, newer)))
    check_refused(ended, "newer", "99.0")
    failed(installation.here.cli("restore", str(tampered(file, next_format))), "format 2")
    half = file.with_name("half")
    half.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    failed(installation.here.cli("restore", str(half)), "no whole backup")
    failed(installation.here.cli("restore", str(without_people(file))), "consistent")
    assert rows(installation.here, "SELECT epoch FROM tertulia_chat_installation") == epochs
    async with await Client.connect(installation.here.ws, token=it["token"]) as ana:
        assert ana.welcome["epoch"] == it["epoch"]
        assert (await seen_by(ana, it["room"]))["messages"] == it["seen"]["messages"]
    left = [path.name for path in installation.here.data.rglob("*") if "restored" in path.name]
    assert left == []
    assert (installation.here.data / "uploads" / it["picture"]).exists()


def without_people(file: Path) -> Path:
    """A backup whose checksums are right, but whose messages have no authors."""
    import hashlib

    digest = hashlib.sha256(b"").hexdigest()

    def change(part: str, content: bytes) -> bytes:
        if part == "tables/tertulia_chat_participant":
            return b""
        if part != "manifest.json":
            return content
        found = json.loads(content)
        for each in found["parts"]:
            if each["name"] == "tables/tertulia_chat_participant":
                each.update(size=0, sha256=digest)
        for each in found["tables"]:
            if each["name"] == "tertulia_chat_participant":
                each["rows"] = 0
        return json.dumps(found).encode()

    return tampered(file, change, "without-people")


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, run: Run) -> None:
    assert run("createuser", "ana").returncode == 0
    uploads = tmp_path / "data" / "uploads"
    uploads.mkdir()
    (uploads / "large").write_bytes(secrets.token_bytes(300_000))
    # Blocks of 512 bytes or of 1 KiB, as the shell counts; SQLite needs 32 KiB to be read.
    small = 'ulimit -f 100; exec "$@"'
    ended = subprocess.run(
        ["sh", "-c", small, "sh", sys.executable, "-m", "tertulia", "backup", "backup"],
        env=clean_environment(TERTULIA_DATA=str(tmp_path / "data")),
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    failed(ended, "File too large")
    assert [path.name for path in tmp_path.iterdir() if "backup" in path.name] == []
    if Path("/dev/full").exists():
        with Path("/dev/full").open("wb") as full:
            ended = subprocess.run(
                [sys.executable, "-m", "tertulia", "backup", "-"],
                env=clean_environment(TERTULIA_DATA=str(tmp_path / "data")),
                cwd=tmp_path,
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
            )
        assert ended.returncode == 1
        assert "No space left" in ended.stderr
        assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_backup_of_an_older_version_is_brought_up_to_date(
    tmp_path: Path, run: Run, postgres: Postgres, kind: str
) -> None:
    """It is made before an upgrade, with the program already new, and changes nothing."""
    where = {"DATABASE_URL": postgres.new_database()} if kind == "postgres" else {}
    file = tmp_path / "backup"
    assert run("createuser", "ana", **where).returncode == 0
    older = run("manage", "migrate", "tertulia_chat", "0004", **where)
    assert older.returncode == 0, older.stderr
    assert run("backup", str(file), **where).returncode == 0
    assert ["tertulia_chat", "0005_indexes"] not in manifest(file)["migrations"]
    shown = run("manage", "showmigrations", "tertulia_chat", **where).stdout
    assert "[ ] 0005_indexes" in shown
    into = {"TERTULIA_DATA": str(tmp_path / "other")}
    if kind == "postgres":
        into["DATABASE_URL"] = postgres.new_database()
    ended = run("restore", str(file), **into)
    assert ended.returncode == 0, ended.stderr
    assert "[ ]" not in run("manage", "showmigrations", **into).stdout
    assert run("token", "ana", **into).returncode == 0
