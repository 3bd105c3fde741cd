"""docs/deployment.md, followed word by word from an empty machine on.

Every block of commands is run. What would change the machine itself is written down and looked
at; Python's packages, files, databases, backups and the server's own commands are real.
"""

from __future__ import annotations

import re
import shlex
import shutil
import sqlite3
import stat
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tertulia.testing.processes import free_port
from tertulia.testing.services import find_program

from . import guide
from .conftest import Site, installed
from .followed import (
    BACKUP,
    CONTAINERS_BACKUP,
    FILES,
    SETTINGS,
    SITE,
    Writer,
    follow,
    furnish,
    lose_files,
    recorded,
    write_to_postgres,
)
from .fronts import HOST, Nginx, replaced
from .image import Stage
from .sandbox import Sandbox
from .unit import Unit


@pytest.fixture(scope="module")
def machine(
    site: Site, nginx: Nginx, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sandbox]:
    """The machine at the end of the guide."""
    machine = Sandbox(tmp_path_factory.mktemp("guide") / "machine")
    furnish(machine, site)
    database = Writer(machine.path("/var/lib/tertulia/tertulia.sqlite3"))
    for block in guide.blocks():
        if block.language != "sh":
            continue
        if "pg_dump" in block.text:
            write_to_postgres(site)
        if "systemctl stop" in block.text:
            lose_files(machine)
            database.be_cut_off()
        follow(machine, site, block)
    yield machine
    with psycopg.connect(site.postgres.url("postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS tertulia")


def test_every_block_is_of_a_kind_that_is_tried(machine: Sandbox) -> None:
    assert {block.language for block in guide.blocks()} == {"sh", "ini"}
    assert recorded(machine, "git") == [
        f"clone https://example.org/tertulia.git {machine.path('/opt/tertulia/source')}",
        "pull",
        "pull",
    ]


def test_its_links_lead_somewhere() -> None:
    text = guide.FILE.read_text()
    targets = re.findall(r"\]\(([^)]+)\)", text)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}
    assert len(targets) > 10
    for target in targets:
        if target.startswith("#"):
            assert target[1:] in anchors, target
        elif not target.startswith("http"):
            assert (guide.FILE.parent / target).exists(), target


def test_the_packages_are_debians(machine: Sandbox) -> None:
    lines = [shlex.split(line) for line in recorded(machine, "apt-get")]
    names = {name for words in lines if words[0] == "install" for name in words[2:]}
    assert {"caddy", "nginx", "certbot", "postgresql", "redis-server"} <= names
    if not shutil.which("apt-cache"):
        pytest.skip("this machine has no apt-cache")
    command = ["apt-cache", "--no-all-versions", "show", "bash", *names]
    done = subprocess.run(command, capture_output=True, text=True)
    there = set(re.findall(r"^Package: (.+)$", done.stdout, re.MULTILINE))
    if "bash" not in there:
        pytest.skip("this machine has no lists of packages")
    assert names <= there


def test_the_program_is_installed(machine: Sandbox) -> None:
    done = subprocess.run(
        [machine.path("/opt/tertulia/bin/tertulia"), "--version"], capture_output=True, text=True
    )
    assert done.stdout.startswith("tertulia "), done.stderr


def test_the_service_and_its_settings_are_in_their_places(machine: Sandbox) -> None:
    settings = machine.path("/etc/tertulia/environment")
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600
    for name, mode in {
        "/etc/systemd/system/tertulia.service": 0o644,
        "/usr/local/bin/tertulia": 0o755,
    }.items():
        assert stat.S_IMODE(machine.path(name).stat().st_mode) == mode
    unit = Unit(machine.path("/etc/systemd/system/tertulia.service").read_text())
    read = unit.environment(settings)
    assert read["TERTULIA_URL"] == f"https://{SITE}"
    # The names that the guide makes are those that the unit uses.
    (user,) = recorded(machine, "useradd")
    assert user.split()[-1] == unit.one("User") == unit.one("Group")
    assert f"{machine.path('/var/lib/tertulia')} " in user
    assert "enable --now tertulia" in recorded(machine, "systemctl")


def test_the_first_link_is_found_in_the_log_as_the_guide_says(machine: Sandbox, site: Site) -> None:
    (asked,) = (shlex.split(each) for each in recorded(machine, "journalctl"))
    assert asked[:3] == ["--unit", "tertulia", "--grep"]
    assert " ".join(asked[3:]) in site.server.tail(0, 100_000)


def test_caddy_serves_the_site_by_its_name(machine: Sandbox, tmp_path: Path) -> None:
    done = subprocess.run(
        [installed("caddy"), "adapt", "--config", machine.path("/etc/caddy/Caddyfile")],
        env={"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert f'"host":["{SITE}"]' in done.stdout
    assert '"dial":"127.0.0.1:8000"' in done.stdout


def test_nginx_accepts_the_whole_of_it(machine: Sandbox, nginx: Nginx) -> None:
    """Debian's own configuration with the changes that the guide makes to it."""
    folder = machine.path("/etc/nginx")
    main = (folder / "nginx.conf").read_text()
    assert "worker_connections 16384;" in main
    site = (folder / "sites-enabled" / "tertulia").read_text()
    assert HOST not in site
    assert site.count(f"server_name {SITE};") == 2
    live = machine.path(f"/etc/letsencrypt/live/{SITE}")
    live.mkdir(parents=True)
    for name in ("fullchain.pem", "privkey.pem"):
        shutil.copy(nginx.folder / name, live)
    machine.path("/var/log/nginx").mkdir(parents=True)
    ports = {
        f"listen {p}{s};": f"listen {free_port()}{s};" for p, s in ((80, ""), (443, " ssl http2"))
    }
    ports |= {f"listen [::]:{p}{s};": "" for p, s in ((80, ""), (443, " ssl http2"))}
    (folder / "sites-enabled" / "tertulia").unlink()
    (folder / "sites-enabled" / "default").unlink(missing_ok=True)
    (folder / "sites-enabled" / "tertulia").write_text(machine.inside(replaced(site, ports)))
    main = machine.inside(main).replace("/run/nginx.pid", str(machine.folder / "nginx.pid"))
    (folder / "nginx.conf").write_text(main)
    words = [
        "nginx",
        "-t",
        "-e",
        str(machine.folder / "error.log"),
        "-c",
        str(folder / "nginx.conf"),
    ]
    done = subprocess.run(words, env=nginx.environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (certbot,) = recorded(machine, "certbot")
    assert f"--domain {SITE}" in certbot


def test_postgresql_is_made_as_the_settings_name_it(machine: Sandbox, site: Site) -> None:
    read = Unit("").environment(machine.path("/etc/tertulia/environment"))
    assert (read["TERTULIA_WORKERS"], read["REDIS_URL"]) == ("2", "redis://127.0.0.1:6379/0")
    # By the Unix socket, which here is in another folder; and we are somebody else.
    url = replaced(read["DATABASE_URL"], {"/run/postgresql": str(site.postgres.folder)})
    env = {"DATABASE_URL": f"{url}&port={site.postgres.port}", "PGUSER": site.postgres.USER}
    code = (
        "from django.db import connection as c; k = c.cursor(); "
        "k.execute('SELECT current_database(), pg_encoding_to_char(encoding) FROM pg_database "
        "WHERE datname = current_database()'); print(*k.fetchone())"
    )
    done = subprocess.run(
        [machine.path("/opt/tertulia/bin/tertulia"), "manage", "shell", "-v", "0", "-c", code],
        env=machine.environment({**env, "TERTULIA_DATA": str(machine.path("/var/lib/tertulia"))}),
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["tertulia", "UTF8"], done.stderr


def test_a_machine_among_several_listens_where_it_is_told(machine: Sandbox, image: Stage) -> None:
    (block,) = [each for each in guide.blocks() if each.language == "ini"]
    file = machine.path("/etc/systemd/system/tertulia.service")
    unit = Unit(file.read_text() + block.text)
    assert unit.settings["ExecStart"][1:] == ["", block.text.strip().rpartition("ExecStart=")[2]]
    listen = file.with_name("tertulia.service.d") / "listen.conf"
    assert "/tertulia.service.d/listen.conf`" in guide.FILE.read_text()
    listen.parent.mkdir()
    for path, text in ((file, file.read_text()), (listen, block.text)):
        path.write_text(machine.inside(text))
    done = subprocess.run(
        [installed("systemd-analyze"), "verify", file], capture_output=True, text=True
    )
    assert (done.returncode, [x for x in done.stderr.splitlines() if "tertulia" in x]) == (0, [])
    words = shlex.split(machine.inside(unit.settings["ExecStart"][-1]))
    done = subprocess.run(
        [*words, "--port", str(free_port())],
        env=image.env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "10.0.0.11 is no address of this machine" in done.stderr


def test_the_containers_commands_name_what_is_there(machine: Sandbox) -> None:
    services = {"tertulia", "db", "secrets"}
    for words in (shlex.split(each) for each in recorded(machine, "docker")):
        if words[:2] in (["compose", "exec"], ["compose", "logs"], ["compose", "run"]):
            named = next(w for w in words[2:] if not w.startswith("-") and w != "tar")
            assert named in services, words
    env = (machine.path("/opt/tertulia/source") / ".env").read_text()
    assert f"TERTULIA_URL=https://{SITE}\n" in env
    (run,) = [each for each in recorded(machine, "docker") if each.startswith("run ")]
    assert "--publish 127.0.0.1:8000:8000" in run


def test_a_backup_has_what_was_written_last(machine: Sandbox) -> None:
    folder = machine.path(BACKUP)
    with sqlite3.connect(folder / "tertulia.sqlite3") as database:
        assert database.execute("SELECT word FROM kept").fetchall() == [("hola",)]
    with tarfile.open(folder / "files.tar.gz") as archive:
        names = archive.getnames()
    assert {"var/lib/tertulia/uploads/picture", "etc/tertulia/environment"} <= set(names)
    assert not [name for name in names if "sqlite3" in name]


def test_backups_are_nobody_elses(machine: Sandbox) -> None:
    for path in (BACKUP, CONTAINERS_BACKUP):
        assert stat.S_IMODE(machine.path(path).stat().st_mode) == 0o700, path


def test_what_sqlite_left_behind_does_not_spoil_a_restored_database(machine: Sandbox) -> None:
    """In the folder was the log of another history, as after a power cut."""
    file = machine.path("/var/lib/tertulia/tertulia.sqlite3")
    with sqlite3.connect(file) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("SELECT word FROM kept").fetchall() == [("hola",)]


def test_a_restored_database_is_the_services_own(machine: Sandbox) -> None:
    file = machine.path("/var/lib/tertulia/tertulia.sqlite3")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (put,) = [each for each in recorded(machine, "install") if each.endswith(f" {file}")]
    assert put.startswith("-o tertulia -g tertulia ")


def test_the_service_is_stopped_while_a_backup_is_put_back(machine: Sandbox) -> None:
    assert recorded(machine, "systemctl")[-2:] == ["stop tertulia", "start tertulia"]
    done = [words for words in recorded(machine, "docker") if words.startswith("compose ")]
    back = done[done.index("compose down") :]
    assert back[-1] == "compose up --detach"
    assert "restore --mark" in back[-2]


def test_uploads_settings_and_keys_come_back(machine: Sandbox) -> None:
    """All were lost before; whose they are is what the archive says."""
    for path, text in FILES.items():
        assert machine.path(path).read_text() == text
        assert stat.S_IMODE(machine.path(path).stat().st_mode) == 0o600
    for path in SETTINGS:
        assert f"TERTULIA_URL=https://{SITE}\n" in machine.path(path).read_text()


def test_a_backup_of_postgresql_is_restored(machine: Sandbox, site: Site) -> None:
    dumps = [machine.path(f"{folder}/tertulia.dump") for folder in (BACKUP, CONTAINERS_BACKUP)]
    for dump in dumps:
        done = subprocess.run(
            [find_program("pg_restore"), "--list", dump], capture_output=True, text=True
        )
        assert "dbname: tertulia" in done.stdout, done.stderr
    with psycopg.connect(site.postgres.url("tertulia")) as connection:
        assert connection.execute("SELECT word FROM kept").fetchall() == [("hola",)]


def test_the_epoch_is_renewed_alike_in_containers(machine: Sandbox) -> None:
    """The other command of the two is run against a server elsewhere."""
    lines = [line for block in guide.blocks() for line in block.text.splitlines()]
    said = [line.partition(" tertulia ")[2] for line in lines if "restore --mark" in line]
    assert len(said) == 2
    assert len(set(said)) == 1
