"""`tertulia doctor` on deployments that are really faulty: the line it says, and its status."""

from __future__ import annotations

import json
import os
import shutil
import socketserver
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tertulia.project.doctor.filesystems import kind_of
from tertulia.testing.client import Client
from tertulia.testing.processes import free_port
from tertulia.testing.server import Server
from tertulia.testing.services import Postgres, Redis

PASSWORD = "a quiet warm room"
STRANGERS = "0.0.0.0/1,128.0.0.0/1,10.0.0.0/7,202.0.0.0/15,2000::/3,2001:db8::/31"
OURS = "unix,127.0.0.1/32,10.0.0.0/8,100.64.0.0/10,203.0.0.0/16,::1/128,fd00::/8,2001:db8::/32"


class Examination:
    """What doctor said."""

    def __init__(self, server: Server, *arguments: str, **env: str) -> None:
        kept, server.env = server.env, {**server.env, **env}
        try:
            done = server.cli("doctor", *arguments)
        finally:
            server.env = kept
        self.status = done.returncode
        self.output = done.stdout
        assert done.stderr == "", done.stderr
        self.lines = done.stdout.splitlines()

    def says(self, mark: str, *words: str) -> bool:
        """Whether a line with this mark has all these words."""
        return any(
            line.startswith(f"{mark} ") and all(word in line for word in words)
            for line in self.lines
        )

    def check(self, mark: str, *words: str) -> None:
        assert self.says(mark, *words), self.output


@pytest.fixture(scope="module")
def healthy() -> Iterator[Server]:
    """An installation with an administrator, a room and messages; not running.

    It is where no system keeps its files in memory, of which doctor would warn.
    """
    server = Server(data=Path(tempfile.mkdtemp(prefix="tertulia-doctor-", dir="/var/tmp")))
    server.createuser("root", admin=True, password=PASSWORD)
    server.shell(
        "from tertulia.chat import open_room, post;"
        "from django.contrib.auth.models import User;"
        "u = User.objects.get(); r = open_room('lobby', owner=u);"
        "[post(r, u, str(n)) for n in range(5)]"
    )
    yield server
    server.remove()
    shutil.rmtree(server.data, ignore_errors=True)


@pytest.fixture
def copy(healthy: Server) -> Iterator[Server]:
    """A copy to spoil."""
    folder = Path(tempfile.mkdtemp(prefix="tertulia-doctor-", dir="/var/tmp")) / "data"
    shutil.copytree(healthy.data, folder, copy_function=shutil.copy2)
    server = Server(data=folder)
    yield server
    server.remove()
    shutil.rmtree(folder.parent, ignore_errors=True)


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file with its mode and bytes."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_healthy_deployment_has_no_fault_and_is_left_as_it_was(healthy: Server) -> None:
    before = contents(healthy.data)
    found = Examination(healthy, TERTULIA_URL="https://chat.example.org", TERTULIA_PROXIES="::1")
    assert found.status == 0, found.output
    assert "\nfault" not in found.output
    for words in (
        ("secret key", "long and random"),
        ("0600",),
        ("can be written to",),
        ("sound",),
        ("synchronous=FULL",),
        ("logs of 1 rooms",),
        ("1 administrator",),
        ("https://chat.example.org", "TLS only"),
        ("::1",),
        ("Python",),
        ("Django",),
    ):
        found.check("ok", *words)
    assert found.lines[-1].startswith("no faults, ")
    assert contents(healthy.data) == before


def test_before_the_first_start_nothing_is_made(tmp_path: Path) -> None:
    server = Server(data=tmp_path / "none", env={})
    os.mkdir(tmp_path / "elsewhere")
    server.data = tmp_path / "elsewhere"
    found = Examination(server)
    assert found.status == 0, found.output
    found.check("warning", "no data folder", "none")
    found.check("warning", "no database yet")
    assert not (tmp_path / "none").exists()
    server.remove()


async def test_it_runs_beside_the_server(copy: Server) -> None:
    copy.start()
    ((_, token),) = copy.people(1, batch=1)
    async with await Client.connect(copy.ws, token=token) as client:
        room = await client.create("Beside")
        await client.say(room, "hola")
        found = Examination(copy)
        await client.say(room, "still here")
    assert found.status == 0, found.output
    found.check("ok", "logs of 2 rooms")


def test_settings_that_cannot_be_read_are_told_as_everywhere(healthy: Server) -> None:
    healthy.env["TERTULIA_LOG"] = "loud"
    try:
        done = healthy.cli("doctor")
    finally:
        del healthy.env["TERTULIA_LOG"]
    assert done.returncode == 2
    assert done.stderr.startswith("tertulia: TERTULIA_LOG must be")


def test_what_the_environment_opens_is_told(healthy: Server, tmp_path: Path) -> None:
    # A playground may answer under any name.
    (tmp_path / "anyhow.py").write_text(
        "from tertulia.project.settings import *\nALLOWED_HOSTS = ['*']\n"
    )
    open_to_all = {
        "DJANGO_SETTINGS_MODULE": "anyhow",
        "PYTHONPATH": str(tmp_path),
        "TERTULIA_LIMITS": "off",
        "TERTULIA_SIGNUP": "open",
        "TERTULIA_OPEN": "1",
        "TERTULIA_WORKERS": "3",
        "TERTULIA_CORS_ORIGINS": "http://www.example.org,https://shop.example.org",
        "TERTULIA_PROXIES": f"{STRANGERS},{OURS}",
    }
    found = Examination(healthy, TERTULIA_URL="http://192.168.1.20:8000", **open_to_all)
    assert found.status == 0, found.output
    found.check("warning", "http://192.168.1.20:8000", "TLS")
    found.check("warning", "TERTULIA_LIMITS=off", "Mend: ")
    found.check("warning", "TERTULIA_SIGNUP=open", "Mend: ")
    found.check("warning", "--open", "Mend: ")
    found.check("warning", "http://www.example.org", "https://www.example.org")
    found.check("ok", "https://shop.example.org")
    found.check("warning", f"TERTULIA_PROXIES holds {STRANGERS.replace(',', ', ')}:", "Mend: ")
    found.check("ok", f"clients are told by {OURS.replace(',', ', ')}")
    found.check("warning", "serve` refuses", "PostgreSQL")


def test_passwords_in_the_open_are_a_fault_on_the_internet_for_programs_too(
    healthy: Server,
) -> None:
    found = Examination(healthy, "--json", TERTULIA_URL="http://chat.example.org")
    assert found.status == 1
    told = json.loads(found.output)
    assert told["status"] == 1
    (fault,) = [each for each in told["findings"] if each["mark"] == "fault"]
    assert "http://chat.example.org" in fault["text"]
    assert "TLS" in fault["mend"]


def test_a_key_and_a_folder_that_are_open_to_others(copy: Server) -> None:
    (copy.data / "secret-key").chmod(0o644)
    copy.database_file().chmod(0o644)
    copy.data.chmod(0o755)
    found = Examination(copy)
    assert found.status == 1
    found.check("fault", "everybody", "0644", f"chmod 600 {copy.data}/secret-key")
    found.check("fault", "everybody", "read tertulia.sqlite3", f"chmod 700 {copy.data}")
    copy.data.chmod(0o777)
    found = Examination(copy, TERTULIA_SECRET_KEY="changeme")
    assert found.status == 1
    found.check("fault", "everybody", "may write", "chmod 700")
    found.check("fault", "secret key", "openssl rand")
    assert "changeme" not in found.output


def test_replaced_settings(copy: Server, tmp_path: Path) -> None:
    (tmp_path / "replaced.py").write_text(
        "from tertulia.project.settings import *\n"
        "DEBUG = True\nALLOWED_HOSTS = ['*']\nSESSION_COOKIE_SECURE = False\n"
        "DATABASES['default']['OPTIONS'].pop('init_command')\n"
    )
    found = Examination(
        copy,
        DJANGO_SETTINGS_MODULE="replaced",
        PYTHONPATH=str(tmp_path),
        TERTULIA_URL="https://chat.example.org",
    )
    assert found.status == 1
    found.check("warning", "TERTULIA_PROXIES", "127.0.0.1")
    found.check("fault", "DEBUG", "replaced")
    found.check("fault", "ALLOWED_HOSTS")
    found.check("fault", "cookies", "without TLS")
    found.check("fault", "synchronous=FULL", "power cut")


# The database

Spoil = Callable[[sqlite3.Connection], object]


def spoil(server: Server, *statements: str) -> None:
    """Change the database behind the back of everybody."""
    with sqlite3.connect(server.database_file()) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_a_log_with_a_gap_and_wrong_counters(copy: Server) -> None:
    spoil(
        copy,
        "DELETE FROM tertulia_chat_event WHERE seq = 3",
        "UPDATE tertulia_chat_room SET messages = messages + 1",
        # Sessions that piled up harm nobody, but are told.
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10001)"
        " INSERT INTO django_session (session_key, session_data, expire_date)"
        " SELECT 'k' || i, '', '2001-01-01 00:00:00' FROM n",
    )
    found = Examination(copy)
    assert found.status == 1
    found.check("fault", "log of room 1", "its head is 6", "restore")
    found.check("fault", "room 1 has 5 messages", "counts 6")
    found.check("warning", "expired sessions", "clearsessions")


def test_a_damaged_database(copy: Server) -> None:
    spoil(copy, "PRAGMA wal_checkpoint(TRUNCATE)")
    raw = bytearray(copy.database_file().read_bytes())
    # Pages in the middle: the header and the schema stay as they are.
    raw[len(raw) // 2 :] = os.urandom(len(raw) - len(raw) // 2)
    copy.database_file().write_bytes(raw)
    found = Examination(copy)
    assert found.status == 1
    found.check("fault", "damaged", "restore the last backup")


def test_a_database_of_another_version_another_journal_and_another_clock(copy: Server) -> None:
    spoil(
        copy,
        "DELETE FROM django_migrations WHERE id ="
        " (SELECT max(id) FROM django_migrations WHERE app = 'tertulia_chat')",
        "INSERT INTO django_migrations (app, name, applied)"
        " VALUES ('tertulia_chat', '9999_the_future', '2026-01-01')",
        "UPDATE tertulia_chat_message SET sent_at = '2999-01-01 00:00:00'",
    )
    spoil(copy, "PRAGMA journal_mode=DELETE")
    found = Examination(copy)
    assert found.status == 1
    found.check("fault", "newer version", "9999_the_future")
    found.check("warning", "migrations are not applied", "tertulia migrate")
    found.check("warning", "not WAL")
    found.check("warning", "in the future", "NTP")


def test_administrators(copy: Server) -> None:
    spoil(copy, "UPDATE auth_user SET is_active = 0")
    Examination(copy).check("warning", "nobody administers", "createuser")
    copy.shell(
        "from django.contrib.auth.models import User;"
        "u = User.objects.get(); u.is_active = True; u.set_password('root'); u.save()"
    )
    before = contents(copy.data)
    found = Examination(copy)
    assert found.status == 1
    found.check("fault", "administrator root", "changepassword root")
    assert contents(copy.data) == before


def test_a_database_in_memory_is_told(copy: Server) -> None:
    shm = Path("/dev/shm")
    if not shm.is_dir() or kind_of(shm)[1] != "memory":
        pytest.skip("this system has no /dev/shm in memory")
    folder = Path(tempfile.mkdtemp(prefix="tertulia-doctor-", dir=shm))
    try:
        shutil.copy2(copy.database_file(), folder / "chat.sqlite3")
        found = Examination(copy, DATABASE_URL=f"sqlite:///{folder}/chat.sqlite3")
    finally:
        shutil.rmtree(folder)
    assert found.status == 1
    found.check("fault", "in memory", "tmpfs")


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("36 35 0:30 / /srv/chat rw - nfs4 server:/chat rw", "network"),
        ("36 35 0:30 / /srv rw shared:1 - cifs //server/srv rw", "network"),
        ("36 35 0:30 / /srv/chat\\040room rw - nfs4 server:/chat rw", "disk"),
        ("36 35 0:30 / /srv/chatter rw - nfs4 server:/chat rw", "disk"),
    ],
)
def test_a_network_file_system_is_known_by_its_mount(tmp_path: Path, line: str, kind: str) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n{line}\n")
    assert kind_of(Path("/srv/chat"), mounts)[1] == kind


# PostgreSQL, Redis, mail


@pytest.fixture
def own_redis() -> Iterator[Redis]:
    """One that nobody else writes to."""
    made = Redis().start()
    yield made
    made.remove()


def test_postgresql_that_loses_what_it_confirmed(
    copy: Server, postgres: Postgres, own_redis: Redis
) -> None:
    url = postgres.new_database()
    copy.env.update(DATABASE_URL=url, REDIS_URL=own_redis.url)
    assert copy.cli("migrate").returncode == 0
    found = Examination(copy)
    found.check("fault", "fsync=off", "power cut")
    found.check("ok", "PostgreSQL", "answers")
    found.check("ok", "of this version")
    found.check("ok", "Redis", "carries messages")
    found.check("warning", "secret key was made by this machine", "same TERTULIA_SECRET_KEY")
    assert not found.says("fault", "synchronous_commit")
    with psycopg.connect(url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    found = Examination(copy, TERTULIA_WORKERS="64")
    assert found.status == 1
    found.check("fault", "synchronous_commit=off", "ALTER SYSTEM RESET")
    found.check("warning", "64 workers", "max_connections")
    assert own_redis.command("DBSIZE") == b":0"


def test_services_that_do_not_answer(copy: Server) -> None:
    found = Examination(
        copy,
        DATABASE_URL=f"postgres://ana:a-password@127.0.0.1:{free_port()}/chat",
        REDIS_URL=f"redis://:a-password@127.0.0.1:{free_port()}/0",
        TERTULIA_EMAIL_URL=f"smtp://ana:a-password@127.0.0.1:{free_port()}",
    )
    assert found.status == 1
    found.check("fault", "database", "does not answer", "DATABASE_URL")
    found.check("warning", "Redis", "does not answer", "REDIS_URL")
    found.check("warning", "mail server", "TERTULIA_EMAIL_URL")
    assert "a-password" not in found.output


class Mail(socketserver.StreamRequestHandler):
    """A mail server that greets, and notes what it is asked."""

    asked: list[str]

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        for line in self.rfile:
            words = line.decode().split()
            type(self).asked.append(words[0].upper())
            self.wfile.write(b"221 bye\r\n" if words[0].upper() == "QUIT" else b"250 ok\r\n")


def test_the_mail_server_is_greeted_and_sent_nothing_and_few_files_are_few(healthy: Server) -> None:
    Mail.asked = []
    with socketserver.TCPServer(("127.0.0.1", 0), Mail) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"smtp://127.0.0.1:{server.server_address[1]}?tls=off"
        healthy.cli_prefix = ["sh", "-c", 'ulimit -n 256; exec "$@"', "-"]
        found = Examination(healthy, TERTULIA_EMAIL_URL=url)
        healthy.cli_prefix = []
        server.shutdown()
    found.check("ok", "mail server", "answers")
    assert Mail.asked == ["EHLO", "QUIT"]
    found.check("warning", "256 files", "LimitNOFILE")
