"""The site goes back to a backup: every page loads afresh, and what was on its way is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tertulia.testing.server import Server

from .conftest import Meet


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(env={"TERTULIA_SIGNUP": "open"}).start()
    yield server
    server.remove()


def test_pages_show_the_restored_history_and_send_what_it_lacks(
    meet: Meet, server: Server, tmp_path: Path
) -> None:
    ana, bea = meet(server), meet(server)
    bea.opens(ana.creates("Back in time"))
    bea.joins()
    for text in ("in the backup", "edited later"):
        ana.says(text)
        bea.sees(text)
    backup = tmp_path / "backup"
    done = server.cli("backup", str(backup))
    assert done.returncode == 0, done.stderr
    ana.edits("edited later", "edited after the backup")
    for text in ("lost with the disk", "this too"):
        ana.says(text)
        bea.sees(text)
    ana.loses_the_network()
    ana.says("on its way")
    ana.sees_unsent("on its way")
    server.terminate()
    done = server.cli("restore", str(backup), "--force")
    assert done.returncode == 0, done.stderr
    server.start()
    # Bea's page was there all the time, Ana's was away; neither is loaded anew by hand.
    bea.sees("edited later")
    expect(bea.log.locator("article")).to_have_count(2)
    ana.has_the_network_again()
    for person in (ana, bea):
        person.sees("on its way", by=ana.name)
        person.sees_unsent()
        assert person.texts() == ["in the backup", "edited later", "on its way"]
    bea.says("and on")
    for person in (ana, bea):
        person.sees("and on")
    assert ana.seqs() == bea.seqs()
