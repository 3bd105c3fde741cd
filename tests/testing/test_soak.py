"""The soak says nothing of a level server, and names what grows in one that leaks."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tertulia.testing.memory import MIB
from tertulia.testing.server import Server, clean_environment
from tertulia.testing.soak import pages
from tertulia.testing.soak.faults import plan
from tertulia.testing.soak.judge import Judged, judge
from tertulia.testing.soak.plot import lines
from tertulia.testing.soak.run import Soak
from tertulia.testing.soak.samples import Sample
from tertulia.testing.soak.trend import Bound, fit

LEAKS = Path(__file__).with_name("leaks")
# The command with a soak of SQLite that is over at once, and one of the other mode that ends as the
# first argument says.
ENDS = """
import asyncio, sys
from tertulia.testing.services import Missing
from tertulia.testing.soak import __main__ as command
from tertulia.testing.soak.run import Soak

async def play(self):
    if self.result.mode == "scaled":
        print("begun", flush=True)
        if sys.argv[1] == "missing":
            raise Missing("a moon is not to be had")
        if sys.argv[1] == "fail":
            raise ValueError("by surprise")
        await asyncio.sleep(60)
    return self.result

Soak.play = play
sys.exit(command.main(sys.argv[2:]))
"""


def test_ten_seconds_by_the_command(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tertulia.testing.soak", "--minutes", "0.17"),
            *("--mode", "sqlite", "--write", "--folder", str(tmp_path)),
        ],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing found" in done.stdout
    (page,) = tmp_path.glob("soak-*.md")
    text = page.read_text()
    for word in ("RSS", "USS", "descriptors", "threads", "tasks", "1 server-killed", "commit"):
        assert word in text
    (picture,) = tmp_path.glob("*.svg")
    assert picture.name in text
    assert "server 1" in picture.read_text()


@pytest.mark.parametrize(
    ("how", "status", "told"),
    [
        ("missing", 3, "a moon is not to be had"),
        ("wait", 130, "interrupted"),
        ("fail", 1, "failed"),
    ],
)
def test_what_is_over_is_kept_however_the_rest_ends(
    how: str, status: int, told: str, tmp_path: Path
) -> None:
    # As long as this it is kept without being asked for.
    process = subprocess.Popen(
        [sys.executable, "-c", ENDS, how, "--minutes", "30", "--folder", str(tmp_path)],
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    while process.stdout.readline() != "begun\n":
        assert process.poll() is None
    if how == "wait":
        process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == status
    (page,) = tmp_path.glob("soak-*.md")
    assert str(page) in output
    text = page.read_text()
    assert "## sqlite\n\n30.0 minutes; " in text
    assert "## scaled\n\nNot run: " in text
    assert told in text


async def test_a_leak_of_memory_and_of_descriptors_is_named() -> None:
    result = await Soak(
        "sqlite", 8, names=["resets"], env={"PYTHONPATH": str(LEAKS), "LEAK": "1"}
    ).play()
    told = "\n".join(result.findings)
    for quantity in ("RSS", "USS", "descriptors"):
        assert f"{quantity} of server 1 grows" in told, told
    for quantity in ("threads", "tasks"):
        assert f"{quantity} of" not in told, told
    assert result.verdict.passed
    assert result.did["say"]
    assert result.did["resume"]


def noisy(
    slope: float, count: int = 300, seconds: float = 1_500
) -> tuple[list[float], list[float]]:
    """Samples that wander by ±1 about a line; `slope` an hour."""
    chance = random.Random(3)
    times = [seconds * n / count for n in range(count)]
    return times, [100 + slope * t / 3_600 + chance.uniform(-1, 1) for t in times]


@pytest.mark.parametrize(("slope", "broken"), [(0, False), (1, False), (-20, False), (8, True)])
def test_a_slope_counts_beyond_its_noise(slope: float, broken: bool) -> None:
    trend = fit(*noisy(slope))
    assert trend is not None
    assert Bound(hourly=1, once=1).broken(trend) is broken
    assert abs(trend.slope - slope) <= 3 * trend.error


def test_one_wave_is_no_growth() -> None:
    """Neighbouring samples are alike: one slow wave is little evidence, however many they are."""
    times = [float(n) for n in range(600)]
    wave = [100 + 3 * ((n // 150) % 2) for n in range(600)]
    trend = fit(times, [float(v) for v in wave])
    assert trend is not None
    assert not Bound(hourly=1, once=1).broken(trend)


def memory_of(growth: float, stored: float, full_since: float | None) -> Judged:
    """Half an hour of a process on SQLite, whose memory grew by so many bytes while its database
    grew by `stored`."""
    kept = pages.Pages()
    kept.full_since = full_since
    samples = []
    for t in range(0, 1_801, 5):
        share = t / 1_800
        kept.measured(t, int(stored * share))
        size = int(100 * MIB + growth * share)
        samples.append(Sample(t, 7, size, size, files=20, threads=9, tasks=5, connections=3))
    return next(each for each in judge(samples, 1_800, {7: "server 1"}, kept))


def test_the_database_in_memory_is_no_leak_and_hides_none() -> None:
    leak = 20 * MIB
    assert not memory_of(leak, stored=30 * MIB, full_since=None).broken
    assert memory_of(leak, stored=MIB, full_since=None).broken
    # Its cache is full before it is judged.
    assert memory_of(leak, stored=30 * MIB, full_since=200).broken
    # Nor is more excused than the cache may hold.
    assert memory_of(100 * MIB, stored=500 * MIB, full_since=None).broken


async def test_a_database_is_filled_by_its_own_server(embedded: Server) -> None:
    before = pages.size(embedded.database_file())
    assert before is not None
    ((_, token),) = embedded.people(1)
    await pages.fill(embedded, token, 2 * MIB)
    after = pages.size(embedded.database_file())
    assert after is not None
    assert 2 * MIB <= after - before <= 4 * MIB


def test_too_few_samples_say_nothing() -> None:
    assert fit([1, 2, 3], [1, 2, 3]) is None
    assert fit([1.0] * 10, [1.0] * 10) is None


def test_each_fault_has_its_turn() -> None:
    names = {name for _, name in plan("scaled", 1_800, [], random.Random(1))}
    assert names == {"resets", "redis-killed", "postgres-restarted", "server-killed"}
    assert {name for _, name in plan("sqlite", 10, [], random.Random(1))} == {
        *("resets", "sqlite-locked", "server-killed")
    }
    assert {name for _, name in plan("sqlite", 60, ["resets"], random.Random(1))} == {"resets"}
    times = [at for at, _ in plan("scaled", 1_800, [], random.Random(1))]
    assert times == sorted(times)
    assert times[-1] < 1_800


def test_a_plot_is_svg_with_each_line() -> None:
    svg = lines("A < B", {"one": [(0, 1), (1, 2)], "two": [(0, 0), (1, 17.5)]}, "MiB")
    assert svg.startswith("<svg")
    assert "A &lt; B" in svg
    assert svg.count('fill="none"') == 2


@pytest.mark.parametrize(
    ("arguments", "word"),
    [(["lunch"], "lunch"), (["--minutes", "0"], "--minutes"), (["--mode", "x"], "--mode")],
)
def test_a_wrong_argument_ends_it(arguments: list[str], word: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tertulia.testing.soak", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 2
    assert word in done.stderr
