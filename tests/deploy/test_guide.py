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

from tests.support.processes import free_port
from tests.support.server import ROOT
from tests.support.services import find_program

from . import guide
from .conftest import Site, installed
from .fronts import HOST, PROGRAMS, Nginx, replaced
from .image import Stage
from .sandbox import Sandbox
from .unit import Unit

SITE = "talk.example.com"
# What `git clone` brings that the guide goes on to use.
CLONED = ("deploy", "src", "pyproject.toml", "requirements.lock", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def machine(
    site: Site, image: Stage, nginx: Nginx, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sandbox]:
    """The machine at the end of the guide."""
    machine = Sandbox(tmp_path_factory.mktemp("guide") / "machine")
    _furnish(machine, site, image)
    with sqlite3.connect(machine.path("/var/lib/tertulia/tertulia.sqlite3")) as open_database:
        # As the running server has it: what was written last is not in the file yet.
        open_database.execute("PRAGMA journal_mode=WAL")
        open_database.execute("CREATE TABLE kept (word TEXT)")
        open_database.execute("INSERT INTO kept VALUES ('hola')")
        open_database.commit()
        for block in guide.blocks():
            if block.language == "sh":
                follow(machine, site, block)
        yield machine
    with psycopg.connect(site.postgres.url("postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS tertulia")


def _furnish(machine: Sandbox, site: Site, image: Stage) -> None:
    """What Debian's packages would have brought, and programs that lead to the tests' servers."""
    for folder in (
        "/var/lib/tertulia/uploads",
        "/var/backups",
        "/etc/caddy",
        "/etc/systemd/system",
    ):
        machine.path(folder).mkdir(parents=True)
    for folder in ("/usr/local/bin", "/opt"):
        machine.path(folder).mkdir(parents=True)
    (machine.path("/var/lib/tertulia/uploads") / "picture").write_text("a picture")
    _furnish_nginx(machine.path("/etc/nginx"))
    source = " ".join(shlex.quote(str(ROOT / name)) for name in (*CLONED, ".env.example"))
    machine.stand_in(
        "git",
        'printf "git %s\\n" "$*" >>@S@/.done\n'
        f'[ "$1" != clone ] || {{ mkdir -p "$3"; cp -R {source} "$3"; }}\n',
    )
    # The cluster has this role from its beginning.
    machine.stand_in("createuser", '[ "$*" = tertulia ]\n')
    exports = "".join(f"export {k}={shlex.quote(v)}\n" for k, v in site.env.items())
    machine.stand_in(".in-image", f'{exports}exec "$@"\n')
    machine.stand_in("docker", _DOCKER)


_DOCKER = """
printf "docker %s\\n" "$*" >>@S@/.done
case "$1 $2" in
  "compose exec")
    shift 2
    [ "$1" != --no-TTY ] || shift
    service=$1; shift
    case $service in
      tertulia) exec @S@/.programs/.in-image "$@" ;;
      db) exec "$@" ;;
      *) exit 64 ;;
    esac ;;
esac
"""


def _furnish_nginx(folder: Path) -> None:
    """As the package has it, without its loadable modules."""
    shutil.copytree("/etc/nginx", folder, ignore=shutil.ignore_patterns("modules-enabled"))
    (folder / "modules-enabled").mkdir()


def follow(machine: Sandbox, site: Site, block: guide.Block) -> None:
    """Do what the block says, as somebody who has done what stands before it."""
    source = machine.path("/opt/tertulia/source")
    programs = Path(find_program("pg_dump")).parent
    env = {
        "PATH": f"{PROGRAMS}:{programs}",
        "SITE": SITE,
        "REPOSITORY": "https://example.org/tertulia.git",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(site.postgres.port),
        "PGUSER": site.postgres.USER,
    }
    # Its first line names a site; ours has another name, to be seen wherever it has to stand.
    script = block.text if block.text.startswith("SITE=") else f"SITE={SITE}\n{block.text}"
    machine.run(script, cwd=source if source.exists() else machine.folder, env=env)


def recorded(machine: Sandbox, program: str) -> list[str]:
    """The arguments of each call of a program that only was written down."""
    lines = [line.partition(" ") for line in machine.done]
    return [rest for name, _, rest in lines if name == program]


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
    services = {"tertulia", "db"}
    for words in (shlex.split(each) for each in recorded(machine, "docker")):
        if words[:2] in (["compose", "exec"], ["compose", "logs"], ["compose", "cp"]):
            named = next(w for w in words[2:] if not w.startswith("-"))
            assert named.split(":")[0] in services, words
    env = (machine.path("/opt/tertulia/source") / ".env").read_text()
    assert f"TERTULIA_URL=https://{SITE}\n" in env
    (run,) = [each for each in recorded(machine, "docker") if each.startswith("run ")]
    assert "--publish 127.0.0.1:8000:8000" in run


def test_a_backup_has_what_was_written_last(machine: Sandbox) -> None:
    folder = machine.path("/var/backups/tertulia")
    with sqlite3.connect(folder / "tertulia.sqlite3") as database:
        assert database.execute("SELECT word FROM kept").fetchall() == [("hola",)]
    with tarfile.open(folder / "files.tar.gz") as archive:
        names = archive.getnames()
    assert "tertulia/uploads/picture" in names
    assert not [name for name in names if "sqlite3" in name]


def test_a_backup_of_postgresql_can_be_restored(machine: Sandbox) -> None:
    source = machine.path("/opt/tertulia/source")
    for dump in (machine.path("/var/backups/tertulia/tertulia.dump"), source / "tertulia.dump"):
        done = subprocess.run(
            [find_program("pg_restore"), "--list", dump], capture_output=True, text=True
        )
        assert "dbname: tertulia" in done.stdout, done.stderr
