"""Following the guide: the machine that it begins with, and what happens to it on the way."""

from __future__ import annotations

import shlex
import shutil
import sqlite3
from pathlib import Path

import psycopg

from tertulia.testing.services import find_program
from tests import ROOT

from . import guide
from .conftest import Site
from .fronts import PROGRAMS
from .sandbox import Sandbox

SITE = "talk.example.com"
BACKUP, CONTAINERS_BACKUP = "/var/backups/tertulia", "/opt/tertulia/tertulia-backup"
# What a backup has beside the databases, and where containers have it.
FILES = {
    "/var/lib/tertulia/uploads/picture": "a picture",
    "/var/lib/tertulia/secret-key": "a key",
    "/data/uploads/picture": "a picture in a container",
    "/secrets/secret-key": "a key in a container",
}
SETTINGS = ("/etc/tertulia/environment", "/opt/tertulia/source/.env")
# What `git clone` brings that the guide goes on to use.
CLONED = ("deploy", "src", "pyproject.toml", "requirements.lock", "README.md", "LICENSE")


class Writer:
    """SQLite's database as a running server has it: what was written last is not in the file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.connection = sqlite3.connect(file)
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute("CREATE TABLE kept (word TEXT)")
        self.connection.execute("INSERT INTO kept VALUES ('hola')")
        self.connection.commit()

    def be_cut_off(self) -> None:
        """Write what no backup has, and leave behind what a power cut leaves behind."""
        rows = [(f"later {number}",) for number in range(2000)]
        self.connection.executemany("INSERT INTO kept VALUES (?)", rows)
        self.connection.commit()
        left = [self.file, *(Path(f"{self.file}{suffix}") for suffix in ("-wal", "-shm"))]
        kept = {path: path.read_bytes() for path in left}
        self.connection.close()
        for path, content in kept.items():
            path.write_bytes(content)


def write_to_postgres(site: Site) -> None:
    with psycopg.connect(site.postgres.url("tertulia"), autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept AS SELECT 'hola' AS word")


def lose_files(machine: Sandbox) -> None:
    for path in (*FILES, *SETTINGS):
        machine.path(path).unlink(missing_ok=True)


def furnish(machine: Sandbox, site: Site) -> None:
    """What Debian's packages would have brought, and programs that lead to the tests' servers."""
    for path, text in FILES.items():
        machine.path(path).parent.mkdir(parents=True, exist_ok=True)
        machine.path(path).write_text(text)
        machine.path(path).chmod(0o600)
    for folder in (
        "/var/backups",
        "/etc/caddy",
        "/etc/systemd/system",
    ):
        machine.path(folder).mkdir(parents=True)
    for folder in ("/usr/local/bin", "/opt"):
        machine.path(folder).mkdir(parents=True)
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
    machine.stand_in("docker", _DOCKER.replace("@LOG@", shlex.quote(str(site.server.log))))


_DOCKER = """
printf "docker %s\\n" "$*" >>@S@/.done
case "$1 $2" in
  "compose exec")
    shift 2
    [ "$1" != -T ] || shift
    service=$1; shift
    case $service in
      tertulia) exec @S@/.programs/.in-image "$@" ;;
      db) exec "$@" ;;
      *) exit 64 ;;
    esac ;;
  "compose run")
    # The server's own commands would go to what all tests share.
    [ "$3 $4 $5" = "--rm -T --entrypoint" ] || exit 0
    program=$6; shift 7
    exec "$program" "$@" ;;
  "compose logs") exec cat @LOG@ ;;
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
