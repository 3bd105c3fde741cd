"""The tables of a run, and its faults."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime

from .gather import Measured
from .town import Sizes

# Work that grows by more than this between the two databases grows with the log; less is the depth
# of an index. And by more than so many units: PostgreSQL may join a page in another way.
GROWTH, SLACK = 1.6, {"sqlite": 100, "postgres": 200}
# What takes so many times as long is more than the noise of a busy machine.
SLOWER = 4
# Queries of a room's first page.
FIRST = 3
WORK = {"sqlite": "instructions", "postgres": "blocks"}


def grows(kind: str, small: int, large: int) -> bool:
    """Whether work depends on how much has piled up."""
    return large > GROWTH * small + SLACK[kind]


def growth(measured: Measured, kind: str) -> float:
    """How many times the work in the small database the large one does."""
    small, large = _pair(kind)
    return (measured.taken[large].work + 1) / (measured.taken[small].work + 1)


def flags(measured: Measured, kind: str) -> list[str]:
    """What must not be, of one reading."""
    _, large = _pair(kind)
    found = measured.taken[large].faults()
    if grows(kind, *(measured.taken[alias].work for alias in _pair(kind))):
        found.append("grows with the log")
    one, other = (measured.taken[alias] for alias in _pair(kind))
    if other.times and other.median > SLOWER * one.median:
        found.append("takes far longer")
    queries = len(other.statements)
    if measured.page and queries > FIRST:
        found.append(f"takes {queries} queries")
    return found


def faults(measured: list[Measured], kind: str) -> int:
    """How many readings have one."""
    return sum(1 for each in measured if flags(each, kind))


def statements(measured: list[Measured], kind: str) -> str:
    """Every statement with its plan, for who looks for the cause."""
    small, large = _pair(kind)
    lines = []
    for each in measured:
        lines.append(f"\n{each.name}: {', '.join(flags(each, kind)) or 'ok'}")
        one = each.taken[small].statements
        other = each.taken[large].statements
        for before, after in zip(one, other, strict=False):
            sql = " ".join(after.sql.split())
            lines.append(f"  {after.work:>8} ({before.work} in the small one) {after.plan.told()}")
            lines.append(f"           {sql[:150]}")
    return "\n".join(lines)


def section(
    heading: str, measured: list[Measured], kind: str, sizes: dict[str, Sizes]
) -> list[str]:
    """The table of one kind of database."""
    small, large = _pair(kind)
    size = f"{sizes['large'].messages:,}"
    lines = [
        f"## {heading}",
        "",
        f"| reading | queries | {WORK[kind]} | × the small one | median, ms, {size} messages"
        " | × the small one | plan of the dearest statement | |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- | --- |",
    ]
    for each in measured:
        one, other = each.taken[small], each.taken[large]
        assert other.statements, each.name
        dearest = max(other.statements, key=lambda statement: statement.work)
        lines.append(
            f"| {each.name} | {len(other.statements)} | {other.work:,}"
            f" | {growth(each, kind):.2f} | {other.median * 1e3:.2f}"
            f" | {other.median / one.median:.2f} | {dearest.plan.told()}"
            f" | {', '.join(flags(each, kind))} |"
        )
    return lines


def document(began: datetime, sizes: dict[str, Sizes], sections: list[list[str]]) -> str:
    """The whole page that is kept."""
    large, small = sizes["large"], sizes["small"]
    minutes = (datetime.now(UTC) - began).total_seconds() / 60
    lines = [
        "# What the database does for each reading",
        "",
        f"Made by `benchmarks/plans.py` on {began:%Y-%m-%d} in {minutes:.0f} minutes:"
        f" {_machine()}, Python {platform.python_version()}.",
        "",
        f"{large.messages:,} messages, {large.rooms:,} rooms (one with a fifth of all messages and"
        f" {large.members:,} members), {large.people:,} people, {large.sessions:,} sessions,"
        f" {large.changes:,} changes of access; the one who reads is in {large.mine} rooms and has"
        " unread messages and mentions in half of them. The small database is the same with"
        f" {small.messages:,} messages, {small.sessions:,} sessions and {small.changes:,} changes."
        " Times are those of the product's own function in one thread, from its call to its"
        " result, on a machine that had other work, too: they mean something within a line only."
        " Everything is in memory; what is written is undone, and costs no write to the disk."
        " PostgreSQL has been vacuumed and analysed once, as autovacuum does after so many rows;"
        " SQLite has no statistics.",
    ]
    for told in sections:
        lines += ["", *told]
    return "\n".join(lines) + "\n"


def _machine() -> str:
    cores = os.cpu_count()
    with open("/proc/cpuinfo", encoding="utf-8") as told:
        models = [line.split(":")[1].strip() for line in told if line.startswith("model name")]
    return f"{cores} cores of {models[0] if models else platform.machine()}"


def _pair(kind: str) -> tuple[str, str]:
    return f"{kind}_small", f"{kind}_large"
