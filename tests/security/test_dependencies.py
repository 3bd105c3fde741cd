"""Statement 26: what can be told of the requirements without asking anybody.

`bin/audit` asks PyPI's advisories by pip-audit. It needs the internet, so here only what it makes
of a report is tried, and that everything is pinned. For daphne's version see `test_headers.py`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
HOLE = {"id": "PYSEC-1", "fix_versions": ["2.0"], "aliases": ["CVE-1"], "description": "x"}
CLEAN = {"name": "a", "version": "1.0", "vulns": []}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_with_a_hash(lock: str) -> None:
    entries = re.split(r"\n(?=[a-z0-9])", (ROOT / lock).read_text().split("\n", 1)[1])
    found = [entry for entry in entries if re.match(r"[a-z0-9]", entry)]
    assert len(found) > 10
    for entry in found:
        assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+", entry), entry.split("\n")[0]
        assert "--hash=sha256:" in entry, entry.split("\n")[0]


def judged(report: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(ROOT / "bin" / "_audit.py"), "a.lock"],
        input=report,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.strip()


def report(*dependencies: dict[str, Any]) -> str:
    return json.dumps({"dependencies": list(dependencies), "fixes": []})


def test_a_clean_report_is_clean() -> None:
    assert judged(report(CLEAN)) == (0, "a.lock: 1 requirements, no known hole")


def test_a_hole_is_told_with_its_mend() -> None:
    skipped = {"name": "c", "skip_reason": "not found"}
    status, told = judged(report(CLEAN, {**CLEAN, "name": "b", "vulns": [HOLE]}, skipped))
    assert status == 1
    assert told == "a.lock: b 1.0: PYSEC-1 (CVE-1), mended in 2.0"


@pytest.mark.parametrize(
    "given", [report(), report(CLEAN, {"name": "b", "skip_reason": "not found"}), "", "{}", "oops"]
)
def test_what_could_not_be_asked_is_not_taken_for_clean(given: str) -> None:
    """pip-audit itself ends with 0 where its service knows none of the names."""
    assert judged(given)[0] == 2
