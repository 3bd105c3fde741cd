"""The process's limits, and versions that are still mended by those who make them."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime

from tertulia.chat.conf import conf
from tertulia.project import openfiles
from tertulia.project.environment import Environment
from tertulia.server.sockets import OTHER_FILES

from .report import Report

FEW_FILES = 4_096
# The months after which there are no more security fixes.
PYTHON_ENDS = {
    (3, 11): date(2027, 10, 31),
    (3, 12): date(2028, 10, 31),
    (3, 13): date(2029, 10, 31),
    (3, 14): date(2030, 10, 31),
}
DJANGO_ENDS = {
    (5, 2): date(2028, 4, 30),
    (6, 0): date(2027, 4, 30),
    (6, 1): date(2027, 12, 31),
    (6, 2): date(2030, 4, 30),
}


def files(env: Environment, report: Report) -> None:
    """Each open socket is one."""
    files = openfiles.allowed()
    if files is None:
        report.ok("open files are not limited")
        return
    text = (
        f"a process may have {files:,} files open here, and so {max(files - OTHER_FILES, 1):,}"
        " sockets at most"
    )
    if files < min(conf.max_sockets + OTHER_FILES, FEW_FILES):
        report.warn(text, "`ulimit -Hn 65536` or LimitNOFILE=65536 for the server")
    else:
        report.ok(text)


def versions(env: Environment, report: Report) -> None:
    """Python and Django."""
    import django

    today = datetime.now(UTC).date()
    for name, version, ends in (
        ("Python", sys.version_info[:2], PYTHON_ENDS),
        ("Django", django.VERSION[:2], DJANGO_ENDS),
    ):
        shown = ".".join(map(str, version))
        end = ends.get((version[0], version[1]))
        if end is not None and end < today:
            report.warn(f"{name} {shown} gets no security fixes any more", "install a newer one")
        else:
            until = f", mended until {end:%B %Y}" if end is not None else ""
            report.ok(f"{name} {shown}{until}")
