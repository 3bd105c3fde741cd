"""The image made from the Dockerfile, compose.yml's services run by hand, and a proxy before them.

There is no Docker here: each file is read, and what it says is done. One installation serves all
of these tests: PostgreSQL, Redis and two workers, out of the image, with compose.yml's settings.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tertulia.testing.processes import Process, free_port, listening, wait_for
from tertulia.testing.services import Postgres
from tests import ROOT

from . import compose
from .deployed import Deployed
from .fronts import PROGRAMS, URL, Caddy, Front, Nginx, replaced
from .image import Build, Stage
from .sandbox import Sandbox

Services = dict[str, Any]


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """The Dockerfile's last stage."""
    return Build(ROOT, tmp_path_factory.mktemp("docker")).run()


@pytest.fixture(scope="session")
def services() -> Services:
    """compose.yml with the settings of a site of one's own."""
    found: Services = compose.read(ROOT / "compose.yml", {"TERTULIA_URL": URL})["services"]
    return found


@dataclass
class Site:
    """What `docker compose up` would have started, but for the proxy."""

    server: Deployed
    postgres: Postgres
    redis_port: int
    secrets: Path
    env: dict[str, str]

    def token(self) -> str:
        """Of somebody new."""
        ((_, token),) = self.server.people(1, batch=24)
        return token

    def workers(self) -> list[int]:
        """The processes that serve; another child of the server's is multiprocessing's helper."""
        pids = self.server.worker_pids()
        commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids}
        return [pid for pid in pids if b"resource_tracker" not in commands[pid]]


@pytest.fixture(scope="session")
def site(
    image: Stage,
    services: Services,
    postgres: Postgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """The services in the order of `depends_on`."""
    machine = Sandbox(tmp_path_factory.mktemp("compose") / "machine")
    secrets = machine.path("/secrets")
    secrets.mkdir(mode=0o700)
    shutil.copy(ROOT / "deploy" / "make-secrets.sh", machine.path("/make-secrets.sh"))
    maker = services["secrets"]
    machine.run(" ".join(maker["entrypoint"] + maker["command"]), cwd=machine.folder)

    database = with_password(postgres, (secrets / "postgres-password").read_text().strip())
    redis_port = free_port()
    redis = Process(
        [*services["redis"]["command"], "--port", str(redis_port), "--bind", "127.0.0.1"],
        machine.folder / "redis.log",
        cwd=machine.folder,
    )
    wait_for(lambda: listening(redis_port), 10, "Redis listens")

    addresses = {
        "@db/tertulia": f"@127.0.0.1:{postgres.port}/{database}",
        "redis:6379": f"127.0.0.1:{redis_port}",
        "/secrets": str(secrets),
    }
    text = "\n".join(f"{k}={v}" for k, v in services["tertulia"]["environment"].items())
    env = {**image.env, **compose.settings(replaced(text, addresses))}
    # The proxy is on this machine, and in no network of Docker's.
    env["TERTULIA_PROXIES"] += ",127.0.0.1"
    program = shutil.which(image.entrypoint[0], path=env["PATH"])
    assert program
    words = [word.replace("0.0.0.0", "127.0.0.1") for word in image.command]
    command = [program, *image.entrypoint[1:], *words]
    server = Deployed(command, env, image.folder / "data", image.packages)
    try:
        server.start()
        yield Site(server, postgres, redis_port, secrets, env)
        # As `docker stop` does it, and sooner than it would insist.
        stopped = server.process.stop(seconds=10) if server.process else None
        assert stopped == 0, server.tail()
    finally:
        server.remove()
        redis.stop()


def with_password(postgres: Postgres, password: str) -> str:
    """A new database, into which one comes by this password only."""
    name = postgres.new_database().rpartition("/")[2]
    rules = postgres.folder / "data" / "pg_hba.conf"
    rules.write_text(f"host {name} all 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        role, secret = sql.Identifier(postgres.USER), sql.Literal(password)
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, secret))
        connection.execute("SELECT pg_reload_conf()")
    return name


def installed(program: str) -> str:
    """Its path; bin/test installs it where it may, and says so where it could not."""
    found = shutil.which(program, path=PROGRAMS)
    if not found:
        pytest.skip(f"{program} is not installed")
    return found


@pytest.fixture(scope="session")
def nginx(site: Site) -> Iterator[Nginx]:
    """deploy/nginx.conf before the installation."""
    installed("nginx")
    installed("openssl")
    front = Nginx(site.server.port)
    try:
        front.start()
        yield front
    finally:
        front.remove()


@pytest.fixture(scope="session")
def caddy(site: Site, services: Services) -> Iterator[Caddy]:
    """deploy/Caddyfile before the installation, with compose.yml's settings."""
    installed("caddy")
    settings = {
        **services["proxy"]["environment"],
        "TERTULIA_UPSTREAM": f"127.0.0.1:{site.server.port}",
    }
    front = Caddy(site.server.port, settings)
    try:
        front.start()
        yield front
    finally:
        front.remove()


@pytest.fixture(scope="session")
def account(site: Site) -> tuple[str, str]:
    """Name and password of somebody."""
    site.server.createuser("visitor", password="a quiet warm room")
    return "visitor", "a quiet warm room"


@pytest.fixture(scope="session", params=["nginx", "caddy"])
def front(request: pytest.FixtureRequest) -> Front:
    """Each of the proxies."""
    found: Front = request.getfixturevalue(request.param)
    return found


def succeeds(words: list[str], env: dict[str, str]) -> bool:
    """Whether a health check is content."""
    done = subprocess.run(words, env=env, capture_output=True, timeout=20)
    return done.returncode == 0
