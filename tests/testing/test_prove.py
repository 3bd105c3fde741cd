"""`python -m tertulia.testing prove`: whoever has an address and tokens can check the guarantee."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tertulia.testing.history import recorded as lines_of
from tertulia.testing.installation import Installation, running
from tertulia.testing.processes import wait_for
from tertulia.testing.server import SOURCE, Server, clean_environment
from tertulia.testing.services import Postgres, Redis
from tests.conftest import RELAXED

MUTANTS = Path(__file__).parents[1] / "faults" / "mutants"
PEOPLE = 8

Prove = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def prove(tmp_path: Path) -> Iterator[Prove]:
    """`prove(server, …, seconds=…)` begins the command against servers of ours."""
    with ExitStack() as stack:

        def begin(*servers: Server, people: int = PEOPLE, **options: object) -> object:
            tokens = tmp_path / "tokens"
            tokens.write_text(
                "# of people made for this\n"
                + "\n".join(token for _, token in servers[0].people(people))
            )
            words = [word for server in servers for word in ("--url", server.url)]
            words += [word for name, value in options.items() for word in (f"--{name}", str(value))]
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "tertulia.testing", "prove", *words),
                    *("--tokens-file", str(tokens)),
                ],
                # The command is a client: it is given nothing of the installation.
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE)},
                cwd=tmp_path,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield begin  # type: ignore[misc]


def figures(output: str) -> dict[str, float]:
    """The numbers of the table."""
    return {name: float(value) for name, value in re.findall(r"^(\D+?)  +([\d.]+)", output, re.M)}


def test_an_installation_that_is_killed_meanwhile_passes(prove: Prove, tmp_path: Path) -> None:
    recorded = tmp_path / "history.jsonl"
    with running(Installation([Server(env=RELAXED).start()])) as installation:
        process = prove(installation.here, seconds=6, rate=60, history=recorded)
        wait_for(lambda: recorded.exists() and '"ok"' in recorded.read_text(), 60, "an answer")
        installation.here.restart()
        output, errors = process.communicate(timeout=180)
    assert process.returncode == 0, output + errors
    found = figures(output)
    assert found["acknowledged"] >= 40
    assert found["connections opened"] > PEOPLE
    for column in ("lost", "doubled", "out of order", "leaked", "late", "never answered"):
        assert found[column] == 0
    assert output.endswith("is there, once, in order, and nowhere else.\n")
    # The removal took place, and what was recorded can be read again.
    kinds = {line["kind"] for line in lines_of(recorded) if line["op"] == "recv"}
    assert "member.left" in kinds


def test_the_guides_own_lines_work_at_a_terminal(embedded: Server, tmp_path: Path) -> None:
    """As they stand there, but for the address, the seconds and how many people there are."""
    guide = (SOURCE.parent / "docs" / "guarantee.md").read_text()
    lines = re.findall(
        r"^    (for n in .* > tokens|python -m tertulia\.testing prove .*)$", guide, re.M
    )
    assert len(lines) == 2
    script = "\n".join([*lines[:1], f"{lines[1]} --writers 1 --followers 1"])
    for theirs, ours in (
        ("in 1 2 3 4 5 6 7 8;", "in 1 2 3;"),
        ("ws://127.0.0.1:8000", embedded.ws),
        ("--seconds 30", "--seconds 3"),
    ):
        assert theirs in script
        script = script.replace(theirs, ours)
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    screen, terminal = pty.openpty()
    try:
        done = subprocess.run(
            ["bash", "-c", script],
            env=clean_environment(**embedded.env, PATH=programs),
            cwd=tmp_path,
            stdin=terminal,
            capture_output=True,
            text=True,
            timeout=180,
            # Nobody is to be asked at the terminal of whoever runs the tests.
            start_new_session=True,
        )
    finally:
        os.close(screen)
        os.close(terminal)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len((tmp_path / "tokens").read_text().split()) == 3
    # The one follower there is was not removed.
    assert re.search(r"^leaked +— \(nobody was removed\)$", done.stdout, re.M)
    assert done.stdout.endswith("is there, once, in order.\n")


def test_two_processes_and_ctrl_c(prove: Prove, postgres: Postgres, redis: Redis) -> None:
    made = Installation.scaled(postgres, redis, RELAXED)
    with running(made):
        process = prove(*made.servers, seconds=300)
        assert process.stderr is not None
        # It says how far it is.
        assert re.search(r"\d+ acknowledged", process.stderr.readline())
        process.send_signal(2)
        output, errors = process.communicate(timeout=180)
    assert process.returncode == 0, output + errors
    assert figures(output)["acknowledged"] > 0


def test_a_server_that_goes_on_telling_the_removed_is_reported(prove: Prove) -> None:
    server = Server(
        env={**RELAXED, "PYTHONPATH": str(MUTANTS), "MUTANT": "no_check_after_removal"}
    ).start()
    with running(Installation([server])):
        process = prove(server, seconds=4, rate=60)
        output, errors = process.communicate(timeout=180)
    assert process.returncode == 1, output + errors
    assert "does NOT hold" in output
    assert figures(output)["leaked"] > 0
    assert figures(output)["lost"] == 0
    assert "not admitted" in output


def test_an_installation_that_goes_for_good_is_no_proof(prove: Prove, tmp_path: Path) -> None:
    recorded = tmp_path / "history.jsonl"
    with running(Installation([Server(env=RELAXED).start()])) as installation:
        process = prove(installation.here, seconds=1, settle=1, history=recorded)
        wait_for(lambda: recorded.exists() and '"ok"' in recorded.read_text(), 60, "an answer")
        installation.here.kill9()
        # It is patient with a server that is away.
        _, errors = process.communicate(timeout=480)
    assert process.returncode == 2
    assert "could not be read in the end" in errors


def test_wrong_use_is_told_in_one_line(embedded: Server, prove: Prove, tmp_path: Path) -> None:
    def fails(process: subprocess.Popen[str], why: str) -> None:
        output, errors = process.communicate(timeout=120)
        assert (process.returncode, output) == (2, ""), errors
        assert why in errors
        assert len(errors.splitlines()) == 1, errors

    fails(prove(embedded, people=3), "8 tokens are needed, and the file has 3")
    fails(prove(embedded, seconds="soon"), "invalid positive float value: 'soon'")
    there = tmp_path / "there"
    there.write_text(json.dumps({"op": "ok"}))
    fails(prove(embedded, history=there), "is already there")
    nobody = Server(env=RELAXED)
    nobody.pool += embedded.people(PEOPLE)
    began = time.monotonic()
    fails(prove(nobody), "the load could not be begun")
    assert time.monotonic() - began < 30
    nobody.remove()


def test_tokens_of_one_person_twice_are_refused(
    embedded: Server, prove: Prove, monkeypatch: pytest.MonkeyPatch
) -> None:
    ((_, token),) = embedded.people(1)
    monkeypatch.setattr(embedded, "people", lambda count: [("ana", token)] * count)
    process = prove(embedded)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "the same person's" in errors
    assert token not in errors
