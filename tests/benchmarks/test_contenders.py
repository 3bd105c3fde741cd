"""The servers that Tertulia is measured against: those that run here without a download."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from benchmarks.bench.contenders.all import PEERS
from benchmarks.bench.contenders.base import Contender, Running
from benchmarks.bench.contenders.children import HERE, Failed, install_once
from websockets.sync.client import ClientConnection, connect

from tertulia.testing.processes import alive, listening, wait_for
from tests import ROOT

PEER = {peer.key: peer for peer in PEERS}
# nchan only where the machine has it: nothing is installed for this.
HERE_TODAY = ["tutorial-memory", "tutorial-pubsub", "tutorial-daphne", "tutorial-stored"]
if not PEER["nchan"].missing():
    HERE_TODAY.append("nchan")


@pytest.fixture(params=HERE_TODAY)
def peer(request: pytest.FixtureRequest) -> Contender:
    """Each of them in turn."""
    return PEER[request.param]


def member(running: Running) -> ClientConnection:
    """One who hears the room, as the generator comes to be one."""
    headers = dict(header.split(": ", 1) for header in running.headers)
    url = f"ws://127.0.0.1:{running.port}{running.path}"
    socket = connect(url, additional_headers=headers, compression=None, open_timeout=30)
    for say, wait in running.steps:
        if say:
            socket.send(say)
        assert wait in str(socket.recv(30))
    return socket


@contextmanager
def members(running: Running, number: int) -> Iterator[list[ClientConnection]]:
    with ExitStack() as stack:
        yield [stack.enter_context(member(running)) for _ in range(number)]


def spoken(running: Running, stamp: str) -> str:
    return running.message.replace("%S", stamp).replace("%P", "a few words of padding")


def test_everybody_gets_each_message_once_and_in_order_the_sender_too(
    peer: Contender, tmp_path: Path
) -> None:
    with peer.running(tmp_path, members=3) as running, members(running, 3) as room:
        stamps = [f"stamp{number}" for number in range(5)]
        for stamp in stamps:
            room[0].send(spoken(running, stamp))
        for one in room:
            heard = [str(one.recv(30)) for _ in stamps]
            assert [re.findall(r"stamp\d", text) for text in heard] == [[each] for each in stamps]
            assert all("a few words of padding" in text for text in heard)
            with pytest.raises(TimeoutError):
                one.recv(0)
        assert all(running.versions.values())


@pytest.mark.parametrize("key", sorted({"tutorial-pubsub", "nchan"} & set(HERE_TODAY)))
def test_one_that_was_killed_is_up_again_on_its_port(key: str, tmp_path: Path) -> None:
    with PEER[key].running(tmp_path, members=2) as running:
        assert running.kill
        with members(running, 1):
            again = running.kill()
            assert not listening(running.port)
        pids = again()
        assert pids[0] != running.pids[0]
        with members(running, 2) as room:
            room[1].send(spoken(running, "stamp1"))
            assert all("stamp1" in str(one.recv(30)) for one in room)
    assert not any(map(alive, {*running.pids, *pids}))
    assert not list(tmp_path.iterdir())


HOLDING = """
import sys, time
from pathlib import Path
from benchmarks.bench.contenders.all import PEERS
peer = next(peer for peer in PEERS if peer.key == "tutorial-pubsub")
with peer.running(Path(sys.argv[1]), members=1) as running:
    print(*running.pids, flush=True)
    time.sleep(300)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_goes_on_when_the_benchmark_is_broken_off(
    how: signal.Signals, tmp_path: Path
) -> None:
    if sys.platform != "linux" and how != signal.SIGINT:
        return  # the kernel's help is Linux's
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as holding:
        assert holding.stdout
        pids = [int(word) for word in holding.stdout.readline().split()]
        assert len(pids) == 2
        holding.send_signal(how)
    try:
        wait_for(lambda: not any(map(alive, pids)), 30, "the tutorial and its Redis have ended")
    finally:
        for pid in filter(alive, pids):
            os.kill(pid, signal.SIGKILL)
    # What a killed one left in the work folder goes with the next run.
    with PEER["tutorial-memory"].running(tmp_path, members=1):
        assert len(list(tmp_path.iterdir())) == 1


def test_what_does_not_start_is_told_with_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    broken = programs / "redis-server"
    broken.write_text("#!/bin/sh\necho 'out of order' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    running = PEER["tutorial-pubsub"].running(tmp_path / "work", members=1)
    with pytest.raises(Failed, match="out of order"), running:
        pass


@pytest.mark.parametrize("key", ["node-ws", "node-socketio", "tutorial-core", "tutorial-pubsub"])
def test_what_is_missing_is_named_with_its_remedy(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = PEER[key].missing()
    assert missing
    assert "not installed" in missing
    assert "apt-get install" in missing


def test_an_installation_that_was_broken_off_is_begun_anew(tmp_path: Path) -> None:
    folder, lock = tmp_path / "installed", tmp_path / "lock"
    lock.write_text("one==1")
    runs: list[list[str]] = []

    def install(fails: bool = False) -> None:
        runs.append([path.name for path in folder.iterdir()])
        (folder / "half").touch()
        if fails:
            raise Failed("no network")

    with pytest.raises(Failed, match="no network"):
        install_once(folder, [lock], lambda: install(fails=True))
    install_once(folder, [lock], install)
    install_once(folder, [lock], install)
    assert runs == [[], []]
    lock.write_text("one==2")
    install_once(folder, [lock], install)
    assert runs == [[], [], []]


def test_what_is_installed_is_locked_with_its_hashes() -> None:
    for folder in ("node_ws", "node_socketio"):
        asked = json.loads((HERE / folder / "package.json").read_text())["dependencies"]
        locked = json.loads((HERE / folder / "package-lock.json").read_text())["packages"]
        assert locked.pop("")["dependencies"] == asked
        assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in asked.values())
        assert all(package["integrity"].startswith("sha512-") for package in locked.values())
        # From whichever registry the machine is set up for.
        assert not [package for package in locked.values() if "resolved" in package]
    for folder in ("socketio_python", "uwebsockets"):
        requirements = (HERE / folder / "requirements.lock").read_text()
        packages = re.split(r"^(?=\S)", requirements, flags=re.M)[1:]
        assert len(packages) > 2
        assert all("==" in package and "--hash=sha256:" in package for package in packages)


def test_each_has_a_key_and_a_name_of_its_own() -> None:
    assert len(PEER) == len({peer.name for peer in PEERS}) == len(PEERS)
    assert all(re.fullmatch(r"[a-z-]+", key) for key in PEER)
