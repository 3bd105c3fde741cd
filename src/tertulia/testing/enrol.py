"""Makes many accounts and tokens by the command line, in one process.

Starting Python and Django once for each of two commands and each name would take most
of the tests' time; the commands themselves are the same, `tertulia createuser NAME` and
`tertulia token NAME`.
"""

from __future__ import annotations

import contextlib
import io
import json
import runpy
import sys


def run(*arguments: str) -> str:
    """`python -m tertulia ARGUMENTS` inside this process; what it printed."""
    sys.argv = ["tertulia", *arguments]
    sys.stdin = io.StringIO("")
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        try:
            runpy.run_module("tertulia", run_name="__main__", alter_sys=True)
        except SystemExit as end:
            if end.code:
                raise RuntimeError(f"tertulia {' '.join(arguments)}: {end.code}") from end
    return output.getvalue()


def enrol(names: list[str]) -> str:
    """A JSON object, name to token."""
    tokens = {}
    for name in names:
        run("createuser", name)
        tokens[name] = run("token", name).strip()
    return json.dumps(tokens)
