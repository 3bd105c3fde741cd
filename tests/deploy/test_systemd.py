"""The systemd unit: what systemd says of it, and its command, run and stopped as systemd would."""

from __future__ import annotations

import json
import shlex
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tertulia.testing.client import Client
from tertulia.testing.processes import descendants
from tests import ROOT

from . import guide
from .conftest import installed
from .deployed import Deployed
from .fronts import HOST, URL
from .image import Stage
from .sandbox import Sandbox
from .unit import Unit

FILE = ROOT / "deploy" / "tertulia.service"
OURS = {"Host": HOST}


@pytest.fixture(scope="module")
def unit() -> Unit:
    return Unit(FILE.read_text())


@pytest.fixture(scope="module")
def machine(image: Stage, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A machine on which all is in its place."""
    machine = Sandbox(tmp_path_factory.mktemp("systemd") / "machine")
    machine.path("/opt").mkdir()
    machine.path("/opt/tertulia").symlink_to(image.folder / "opt/tertulia")
    for name, place in {
        "environment": "/etc/tertulia/environment",
        "tertulia.service": "/etc/systemd/system/tertulia.service",
        "tertulia": "/usr/local/bin/tertulia",
    }.items():
        machine.path(place).parent.mkdir(parents=True, exist_ok=True)
        machine.path(place).write_text(machine.inside((ROOT / "deploy" / name).read_text()))
    machine.path("/usr/local/bin/tertulia").chmod(0o755)
    machine.path("/var/lib/tertulia").mkdir(parents=True, mode=0o700)
    return machine


@pytest.fixture(scope="module")
def service(machine: Sandbox, unit: Unit, image: Stage) -> Iterator[Deployed]:
    """The unit's command in its environment, confined as far as that can be done here."""
    settings = unit.environment(machine.path("/etc/tertulia/environment"))
    data = machine.path(settings["TERTULIA_DATA"])
    assert unit.one("StateDirectory") == data.name
    env = machine.environment({**settings, "TERTULIA_DATA": str(data)})
    words = shlex.split(machine.inside(unit.one("ExecStart")))
    server = Deployed(unit.confined(words), env, data, image.packages).start()
    yield server
    server.remove()


def test_systemd_accepts_it(machine: Sandbox) -> None:
    done = subprocess.run(
        [
            installed("systemd-analyze"),
            "verify",
            machine.path("/etc/systemd/system/tertulia.service"),
        ],
        capture_output=True,
        text=True,
    )
    ours = [line for line in done.stderr.splitlines() if "tertulia" in line]
    assert (done.returncode, ours) == (0, [])


def test_systemd_finds_it_well_confined() -> None:
    """On its scale from 0 to 10, where a unit that says nothing has 9.6."""
    command = [installed("systemd-analyze"), "security", "--offline=true", "--json=short"]
    done = subprocess.run([*command, "--threshold=20", FILE], capture_output=True, text=True)
    if "unrecognized option" in done.stderr:
        pytest.skip("systemd before 252 does not tell that without running")
    weak = {each["json_field"]: each["exposure"] for each in json.loads(done.stdout)}
    assert done.returncode == 0, {name: value for name, value in weak.items() if value}


def test_its_settings_are_those_that_the_server_knows(unit: Unit, service: Deployed) -> None:
    assert f"Tertulia is at {URL}/ (served on http://127.0.0.1:" in service.tail()
    assert unit.one("EnvironmentFile") == "-/etc/tertulia/environment"
    assert unit.environment(ROOT / "deploy" / "environment")["TERTULIA_PROXIES"] == "127.0.0.1"


def test_the_commented_settings_are_right_ones(tmp_path: Path, unit: Unit) -> None:
    """With the lead `#` gone, each line is one that systemd and the shell read alike."""
    text = (ROOT / "deploy" / "environment").read_text()
    lines = [line.removeprefix("#") for line in text.splitlines() if not line.startswith("# ")]
    file = tmp_path / "environment"
    file.write_text("\n".join(lines))
    read = unit.environment(file)
    script = f"set -a; . {file}; env -0"
    done = subprocess.run(["env", "-i", "sh", "-c", script], capture_output=True, text=True)
    by_shell = dict(pair.split("=", 1) for pair in done.stdout.split("\0") if pair)
    for name, value in read.items():
        if name in by_shell:
            assert by_shell[name] == value, name
    names = {"TERTULIA_URL", "TERTULIA_PROXIES", "DATABASE_URL", "REDIS_URL", "TERTULIA_WORKERS"}
    assert names < set(by_shell)


def test_what_it_writes_is_nobody_elses(service: Deployed) -> None:
    files = [path for path in service.data.rglob("*") if path.is_file()]
    assert {"tertulia.sqlite3", "secret-key"} <= {path.name for path in files}
    assert all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in files)


@pytest.fixture(scope="module")
def token(machine: Sandbox, service: Deployed) -> str:
    """Of somebody whom the operator made by his own command, while the service runs."""
    machine.run("/usr/local/bin/tertulia createuser olga", cwd=machine.folder)
    return machine.run("/usr/local/bin/tertulia token olga", cwd=machine.folder).strip()


async def test_the_operators_command_is_in_the_same_world(service: Deployed, token: str) -> None:
    async with await Client.connect(service.ws, token=token, headers=OURS) as client:
        assert client.name == "olga"
        room = await client.create("Confined")
        await client.subscribe(room)
        await client.say(room, "**hola** `x`")
        await client.reached(room, 2)


async def test_a_new_epoch_makes_open_pages_load_afresh(
    machine: Sandbox, service: Deployed, token: str
) -> None:
    """The guide's command for a database that was put back."""
    (block,) = [each for each in guide.blocks() if each.text.startswith("sudo tertulia ")]
    assert "restore --mark" in block.text
    machine.stand_in("tertulia", 'exec @S@/usr/local/bin/tertulia "$@"\n')
    client = await Client.connect(service.ws, token=token, headers=OURS)
    machine.run(block.text, cwd=machine.folder)
    assert (await client.closing()).code == 1012
    async with await Client.connect(service.ws, token=token, headers=OURS) as again:
        assert again.welcome["epoch"] != client.welcome["epoch"]


async def test_it_stops_within_its_time_and_says_so(
    unit: Unit, service: Deployed, token: str
) -> None:
    """KillMode=mixed: SIGTERM goes to the main process alone, and nothing is left to be killed."""
    assert unit.one("KillMode") == "mixed"
    client = await Client.connect(service.ws, token=token, headers=OURS)
    assert service.process
    below = list(descendants(service.process.pid))
    assert service.process.stop(seconds=unit.seconds("TimeoutStopSec")) == 0
    assert (await client.closing()).code in (1001, 1012)
    assert not any(Path(f"/proc/{pid}").exists() for pid in below)
