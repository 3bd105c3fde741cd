"""Failpoints cannot be had in production: what is refused, by whom, and how it is said."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tertulia.testing.failpoints import listing
from tertulia.testing.processes import free_port
from tertulia.testing.server import Server, clean_environment
from tertulia.testing.services import Postgres

Run = Callable[..., "subprocess.CompletedProcess[str]"]
RULES = {"TERTULIA_FAILPOINTS": "after-commit=kill:0.5"}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`run("tertulia.testing", "serve", …, NAME="value")`: a module, its data in tmp_path."""

    def command(module: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            env=clean_environment(**{"TERTULIA_DATA": str(tmp_path / "data"), **env}),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return command


def check_refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit status 2 and one clear line on standard error that holds these words."""
    assert done.returncode == 2, (done.stdout, done.stderr)
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    for word in words:
        assert word in lines[0], lines[0]


def test_the_product_does_not_start_with_them(run: Run) -> None:
    check_refused(run("tertulia", "serve", "--port", "0", **RULES), "TERTULIA_FAILPOINTS")


def test_nor_does_its_application_under_another_server(run: Run, tmp_path: Path) -> None:
    for server in (
        ["uvicorn", "--port", str(free_port()), "--log-level", "warning"],
        ["daphne", "-p", str(free_port())],
    ):
        done = run(*server, "tertulia.project.asgi:application", **RULES)
        check_refused(done, "TERTULIA_FAILPOINTS")


def test_the_doctor_names_them_as_a_fault(run: Run) -> None:
    done = run("tertulia", "doctor", "--json", **RULES)
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    assert any("TERTULIA_FAILPOINTS" in str(each) for each in found["findings"] if each)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "chat.example.org"])
def test_the_launcher_serves_nobody_else(run: Run, host: str, tmp_path: Path) -> None:
    done = run("tertulia.testing", "serve", "--port", "0", "--host", host, **RULES)
    check_refused(done, "loopback", host)
    assert not (tmp_path / "data").exists()


def test_the_launcher_takes_no_data_of_anybody(run: Run, tmp_path: Path) -> None:
    assert run("tertulia", "createuser", "ana").returncode == 0
    check_refused(run("tertulia.testing", "serve", "--port", "0"), "not made for testing")
    assert not (tmp_path / "data" / "made-for-testing").exists()
    elsewhere = {"DATABASE_URL": f"sqlite:///{tmp_path / 'chat.sqlite3'}"}
    fresh = {"TERTULIA_DATA": str(tmp_path / "fresh")}
    done = run("tertulia.testing", "serve", "--port", "0", **elsewhere, **fresh)
    check_refused(done, "DATABASE_URL")


def test_the_launcher_takes_no_database_of_anybody(
    run: Run, tmp_path: Path, postgres: Postgres
) -> None:
    address = postgres.new_database()
    with psycopg.connect(address) as connection:
        connection.execute("CREATE TABLE accounts ()")
    done = run("tertulia.testing", "serve", "--port", "0", DATABASE_URL=address)
    check_refused(done, "database", "not made for testing")
    with psycopg.connect(address) as connection:
        tables = connection.execute("SELECT 1 FROM pg_tables WHERE tablename LIKE 'tertulia%'")
        assert tables.fetchall() == []


def test_a_wrong_rule_is_one_line(run: Run) -> None:
    done = run("tertulia.testing", "serve", "--port", "0", TERTULIA_FAILPOINTS="after-lunch=kill")
    check_refused(done, "after-lunch", "after-commit")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ("target=('tertulia.chat.writer', 'Writer', '_gone')", ("sweep", "_gone")),
        ("target=('tertulia.chat.gone', 'Sweep', '_sweep')", ("sweep", "gone")),
        ("takes=('something',)", ("sweep", "takes")),
    ],
)
def test_a_function_that_is_no_longer_there_is_told_at_the_start(
    run: Run, tmp_path: Path, changed: str, words: tuple[str, ...]
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "from dataclasses import replace\n"
        "from tertulia.testing import points\n"
        f"points.POINTS = (*points.POINTS[:-1], replace(points.POINTS[-1], {changed}))\n"
    )
    env = {"PYTHONPATH": str(tmp_path), "TERTULIA_FAILPOINTS": "sweep=drop"}
    done = run("tertulia.testing", "serve", "--port", "0", **env)
    assert done.returncode == 2, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("tertulia: ")]
    for word in words:
        assert word in line


def test_the_list_command(run: Run) -> None:
    assert run("tertulia.testing", "failpoints").stdout.strip() == listing()


def test_serving_without_rules_marks_the_folder_only(tmp_path: Path) -> None:
    server = Server(env={"TERTULIA_FAILPOINTS": ""}).start()
    try:
        assert (server.data / "made-for-testing").exists()
        assert "failpoint" not in server.tail()
    finally:
        server.remove()
