"""Restoring where something goes wrong at the last moment, beside others' tables, or from a file
that is not what it says."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tertulia.testing.server import clean_environment
from tertulia.testing.services import Postgres

from .conftest import Run
from .test_backup import failed

PIXELS = b"some pixels"
Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an installation of somebody and of a file, and a backup of it."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "data" / "uploads").mkdir(parents=True)
    (folder / "data" / "uploads" / "kept").write_bytes(PIXELS)
    for words in (["createuser", "ana"], ["token", "ana"], ["backup", "backup"]):
        subprocess.run(
            [sys.executable, "-m", "tertulia", *words],
            env=clean_environment(TERTULIA_DATA=str(folder / "data")),
            cwd=folder,
            check=True,
            capture_output=True,
        )
    return folder


@pytest.fixture
def saved(made: Path, tmp_path: Path) -> Path:
    """The backup, beside the installation, whose commands are `run`'s."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "backup"


def altered(file: Path, change: Change, **contents: bytes) -> Path:
    """A copy with another manifest and other contents of tables, whose checksums are right."""
    other = file.with_name("altered")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(other, "w") as new:
        manifest = json.loads(old.read("manifest.json"))
        for part in manifest["parts"]:
            content = contents.get(part["name"].rpartition("/")[2], old.read(part["name"]))
            part.update(size=len(content), sha256=hashlib.sha256(content).hexdigest())
            new.writestr(part["name"], content)
        change(manifest)
        new.writestr("manifest.json", json.dumps(manifest))
    return other


def tables(url: str, schema: str = "public") -> set[str]:
    with psycopg.connect(url) as database:
        rows = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema])
        return {name for (name,) in rows}


# The last moment


class Cutting:
    """Between a restore and PostgreSQL: ends the connection at the COMMIT that replaces the
    database, once, before it arrives or before it is answered."""

    def __init__(self, postgres: Postgres, *, arrives: bool) -> None:
        self._postgres = postgres
        self._arrives = arrives
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.cut = False

    def __enter__(self) -> Cutting:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, client: socket.socket) -> None:
        server = socket.create_connection(("127.0.0.1", self._postgres.port))
        silent, answered = threading.Event(), threading.Event()
        threading.Thread(
            target=self._answer, args=(server, client, silent, answered), daemon=True
        ).start()
        swapping = False
        with client, server, suppress(OSError):
            while data := client.recv(1 << 16):
                swapping = swapping or b"SET SCHEMA" in data
                if swapping and not self.cut and b"COMMIT" in data:
                    self.cut = True
                    silent.set()
                    if self._arrives:
                        server.sendall(data)
                        assert answered.wait(20)
                    break
                server.sendall(data)
            # Merely closed it would stay open for as long as the other thread reads from it.
            server.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _answer(
        server: socket.socket,
        client: socket.socket,
        silent: threading.Event,
        answered: threading.Event,
    ) -> None:
        with suppress(OSError):
            while data := server.recv(1 << 16):
                if silent.is_set():
                    answered.set()
                    return
                client.sendall(data)
            client.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("arrives", [True, False])
def test_a_connection_lost_at_the_commit_is_found_out_about(
    saved: Path, run: Run, postgres: Postgres, *, arrives: bool
) -> None:
    url, data = postgres.new_database(), saved.with_name("other")
    with Cutting(postgres, arrives=arrives) as between:
        past = url.replace(f":{postgres.port}/", f":{between.port}/")
        ended = run("restore", str(saved), DATABASE_URL=past, TERTULIA_DATA=str(data))
    assert between.cut
    assert ended.returncode == 0, ended.stderr
    assert (data / "uploads" / "kept").read_bytes() == PIXELS
    assert tables(url, "tertulia_restored") == set()
    with psycopg.connect(url) as database:
        assert database.execute("SELECT username FROM auth_user").fetchall() == [("ana",)]


# Cleaning up is refused for as long as there is something to be cleaned up.
_REFUSES = """
CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN IF to_regnamespace('tertulia_restored') IS NOT NULL THEN RAISE 'not now'; END IF; END $$;
CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('DROP SCHEMA')
EXECUTE FUNCTION refuse();
"""


def test_what_fails_after_the_swap_takes_nothing_back(
    saved: Path, run: Run, postgres: Postgres
) -> None:
    url, data = postgres.new_database(), saved.with_name("other")
    with psycopg.connect(url, autocommit=True) as database:
        database.execute(_REFUSES)
    ended = run("restore", str(saved), DATABASE_URL=url, TERTULIA_DATA=str(data))
    assert ended.returncode == 0, ended.stderr
    assert "Warning: the schema tertulia_restored is left over" in ended.stderr
    assert "auth_user" in tables(url)
    assert (data / "uploads" / "kept").read_bytes() == PIXELS
    assert (data / "secret-key").read_bytes() == (saved.parent / "data/secret-key").read_bytes()


# Others in the database


def test_others_tables_stay_and_rights_are_told_of(
    saved: Path, run: Run, postgres: Postgres
) -> None:
    url = postgres.new_database()
    given = {"DATABASE_URL": url, "TERTULIA_DATA": str(saved.with_name("other"))}
    assert run("restore", str(saved), **given).returncode == 0
    others = {"auth_extra", "admin_notes", "sessions_of_ours", "notes"}
    with psycopg.connect(url, autocommit=True) as database:
        for name in (*others, "tertulia_chat_of_a_newer_version"):
            database.execute(f'CREATE TABLE "{name}" (id integer)')
        database.execute("CREATE VIEW report AS SELECT username FROM auth_user")
    failed(run("restore", str(saved), "--force", **given), "view report depends on")
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("DROP VIEW report")
        database.execute("GRANT SELECT ON tertulia_chat_room TO PUBLIC")
        database.execute("CREATE ROLE proprietor")
        database.execute("ALTER TABLE django_session OWNER TO proprietor")
    failed(run("restore", str(saved), "--force", **given), "django_session", "proprietor")
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("ALTER TABLE django_session OWNER TO CURRENT_USER")
        database.execute("DROP ROLE proprietor")
    before = tables(url)
    ended = run("restore", str(saved), "--force", **given)
    assert ended.returncode == 0, ended.stderr
    assert tables(url) == before - {"tertulia_chat_of_a_newer_version"}
    (told,) = [line for line in ended.stderr.splitlines() if "GRANT" in line]
    assert "tertulia_chat_room" in told
    assert "auth_user" not in told


# Pictures


def test_pictures_behind_links_are_saved_and_missing_ones_told(
    saved: Path, tmp_path: Path, run: Run
) -> None:
    elsewhere, uploads = tmp_path / "volume", tmp_path / "data" / "uploads"
    elsewhere.mkdir()
    (elsewhere / "picture").write_bytes(PIXELS)
    (elsewhere / "circle").symlink_to(elsewhere)
    (uploads / "linked").symlink_to(elsewhere)
    (uploads / ".picture.restored").write_bytes(b"left by a restore that was killed")
    with closing(sqlite3.connect(tmp_path / "data" / "tertulia.sqlite3")) as database:
        changed = database.execute("UPDATE tertulia_chat_participant SET picture = 'gone'")
        assert changed.rowcount == 1
        database.commit()
    ended = run("backup", str(saved), "--force")
    assert ended.returncode == 0, ended.stderr
    assert "1 pictures that people refer to are not there" in ended.stderr
    with zipfile.ZipFile(saved) as archive:
        names = {name for name in archive.namelist() if name.startswith("uploads/")}
        assert names == {"uploads/kept", "uploads/linked/picture"}
        assert archive.read("uploads/linked/picture") == PIXELS


def test_a_spoilt_picture_comes_back_and_leftovers_go(saved: Path, run: Run) -> None:
    uploads = saved.parent / "data" / "uploads"
    (uploads / "kept").write_bytes(PIXELS[::-1])
    (uploads / ".gone.restored").write_bytes(b"half")
    ended = run("restore", str(saved), "--force")
    assert ended.returncode == 0, ended.stderr
    assert [(path.name, path.read_bytes()) for path in uploads.iterdir()] == [("kept", PIXELS)]


# Files that are not what they say


def test_names_in_a_manifest_never_become_statements(
    saved: Path, run: Run, postgres: Postgres
) -> None:
    def change(manifest: dict[str, Any]) -> None:
        (group,) = [each for each in manifest["tables"] if each["name"] == "auth_group"]
        group["columns"] = ["id", 'name") FROM STDIN; CREATE TABLE taken_over (id int); --']

    url, data = postgres.new_database(), saved.with_name("other")
    bad = altered(saved, change)
    given = {"DATABASE_URL": url, "TERTULIA_DATA": str(data)}
    failed(run("restore", str(bad), **given), "auth_group", "no column")
    assert tables(url) == set()


def _encrypted(file: Path) -> bytes:
    content = bytearray(file.read_bytes())
    for sign, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = content.find(sign)
        while at >= 0:
            (flags,) = struct.unpack_from("<H", content, at + offset)
            struct.pack_into("<H", content, at + offset, flags | 1)
            at = content.find(sign, at + 4)
    return bytes(content)


def _packed_otherwise(file: Path) -> bytes:
    other = file.with_name("otherwise")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(other, "w", zipfile.ZIP_BZIP2) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return other.read_bytes()


def _with_manifest(text: bytes) -> Callable[[Path], bytes]:
    def make(file: Path) -> bytes:
        with zipfile.ZipFile(file.with_name("other"), "w") as archive:
            archive.writestr("manifest.json", text)
        return file.with_name("other").read_bytes()

    return make


def _with_ids_beyond_all(file: Path) -> bytes:
    def change(manifest: dict[str, Any]) -> None:
        for table in manifest["tables"]:
            table["last_id"] = 2**70

    return altered(file, change).read_bytes()


def _with_no_key(file: Path) -> bytes:
    return altered(file, lambda _: None, **{"secret-key": b"\xff\xfe"}).read_bytes()


def _with_rows_that_are_no_text(file: Path) -> bytes:
    def change(manifest: dict[str, Any]) -> None:
        (group,) = [each for each in manifest["tables"] if each["name"] == "auth_group"]
        group["rows"] = 1

    return altered(file, change, auth_group=b"1\t\xff\n").read_bytes()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_encrypted, "packed"),
        (_packed_otherwise, "packed"),
        (_with_manifest(b"[]"), "no whole backup"),
        (_with_manifest(b'{"format": 1, "heads": ' + b"[" * 100_000), "no whole backup"),
        (_with_ids_beyond_all, "no whole backup"),
        (_with_no_key, "secret key"),
        (_with_rows_that_are_no_text, "no text"),
    ],
)
def test_an_unusual_archive_is_refused_in_one_line(
    saved: Path, run: Run, make: Callable[[Path], bytes], words: str
) -> None:
    saved.write_bytes(make(saved))
    ended = run("restore", str(saved), TERTULIA_DATA=str(saved.with_name("elsewhere")))
    failed(ended, words)
