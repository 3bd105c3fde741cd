"""What bin/audit makes of pip-audit's report (JSON, standard input): lines, and an exit status.

0: every requirement was looked up and has no known hole; 1: some have; 2: not every one was looked
up, of which pip-audit itself makes no failure.
"""

from __future__ import annotations

import json
import sys

NONE, SOME, NOT_ASKED = 0, 1, 2


def judge(report: str, name: str) -> tuple[int, list[str]]:
    """The exit status, and what to print."""
    try:
        found = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return NOT_ASKED, [f"{name}: pip-audit gave no report: the advisories cannot be asked"]
    lines = [
        f"{name}: {each['name']} {each['version']}: {hole['id']}"
        f" ({', '.join(hole['aliases']) or 'no other name'}),"
        f" mended in {', '.join(hole['fix_versions']) or 'no release'}"
        for each in found
        for hole in each.get("vulns", ())
    ]
    if lines:
        return SOME, lines
    skipped = [each["name"] for each in found if "skip_reason" in each]
    if skipped or not found:
        count = f"{len(skipped)} of {len(found)}"
        return NOT_ASKED, [f"{name}: {count} requirements could not be looked up"]
    return NONE, [f"{name}: {len(found)} requirements, no known hole"]


if __name__ == "__main__":
    status, told = judge(sys.stdin.read(), sys.argv[1])
    print("\n".join(told))
    sys.exit(status)
