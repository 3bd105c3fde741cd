"""A result as tables, for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .stage import Row

Result = dict[str, Any]
NONE = "–"


@dataclass(frozen=True)
class Table:
    """`rows` are cells as text; the first column is the contender's name."""

    title: str
    header: list[str]
    rows: list[list[str]]


def number(value: float | None) -> str:
    """Three figures that count, at most two behind the point."""
    if value is None:
        return NONE
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def percent(share: float | None) -> str:
    """A share; what is not nothing never looks like nothing."""
    if share is None:
        return NONE
    return "0" if share == 0 else f"{max(share * 100, 0.1):.1f} %"


def times(row: Row | None, name: str = "cpu") -> str:
    """`7.5 (1.6)`: microseconds, and times the limit."""
    if row is None or row.get(name) is None:
        return NONE
    ratio = f" ({number(row['ratio'])})" if row.get("ratio") is not None else ""
    lost = f", lost {percent(row['lost'])}" if row.get("lost") else ""
    return number(row[name]) + ratio + lost


def tables(result: Result) -> list[Table]:
    """Those of the measures that were taken."""
    made: list[Table] = []
    for name, make in MAKERS.items():
        rows = result["measures"].get(name)
        if rows:
            made += make(rows, _names(result, rows))
    return made


def _names(result: Result, rows: list[Row]) -> dict[str, str]:
    """Names by key, in the order of the run."""
    keys = {row["key"] for row in rows}
    return {key: name for key, name in result["names"].items() if key in keys}


def _fan_out(rows: list[Row], names: dict[str, str]) -> list[Table]:
    found = {(row["key"], row["window"], row["room"]): row for row in rows}
    sizes = sorted({row["room"] for row in rows})

    def table(title: str, window: int, cell: Callable[[Row | None], str]) -> Table:
        body = [
            [name, *(cell(found.get((key, window, size))) for size in sizes)]
            for key, name in names.items()
        ]
        return Table(title, ["", *(f"room of {size:,}" for size in sizes)], body)

    def latency(row: Row | None) -> str:
        if row is None or row["p50"] is None:
            return NONE
        return f"{number(row['p50'] / 1e3)} / {number(row['p99'] / 1e3)}"

    cpu = "CPU a delivery, µs (× the bare-socket limit)"
    wait = "Latency, ms: median / 99th percentile"
    made = [
        table(f"{cpu}: one message at a time", 1, times),
        table(f"{cpu}: 64 messages at once", 64, times),
        table(f"{wait}: one message at a time", 1, latency),
        table(f"{wait}: 64 messages at once", 64, latency),
    ]
    wrong = [
        [name, f"{doubled:,}", f"{disordered:,}"]
        for key, name in names.items()
        for doubled, disordered in [_wrong(rows, key)]
        if doubled or disordered
    ]
    return [
        *made,
        *([Table("Not as it should be", ["", "doubled", "out of order"], wrong)] * bool(wrong)),
    ]


def _wrong(rows: list[Row], key: str) -> tuple[int, int]:
    mine = [row for row in rows if row["key"] == key]
    return sum(row["doubled"] for row in mine), sum(row["disordered"] for row in mine)


def _simple(
    title: str, columns: dict[str, Callable[[Row], str]]
) -> Callable[[list[Row], dict[str, str]], list[Table]]:
    """A row a contender."""

    def make(rows: list[Row], names: dict[str, str]) -> list[Table]:
        found = {row["key"]: row for row in rows}
        body = [
            [name, *(cell(found[key]) for cell in columns.values())] for key, name in names.items()
        ]
        return [Table(title, ["", *columns], body)]

    return make


def writing(writers: int, window: int) -> str:
    """Who writes: how many, and how many messages each has under way."""
    name = f"{writers:,} writer{'s' if writers > 1 else ''}"
    return name if window == 1 else f"{name}, {window} under way each"


def _durable(rows: list[Row], names: dict[str, str]) -> list[Table]:
    found = {(row["key"], row["writers"], row["window"]): row for row in rows}
    writers = sorted({(row["writers"], row["window"]) for row in rows})

    def cell(key: str, count: int, window: int) -> str:
        row = found.get((key, count, window))
        if row is None:
            return NONE
        return f"{row['messages']:,.0f} ({number(row['cpu'])}; {number(row['p99'] / 1e3)})"

    head = ["", *(writing(count, window) for count, window in writers)]
    body = [[name, *(cell(key, *how) for how in writers)] for key, name in names.items()]
    title = (
        "Durable messages a second, answered (CPU a message, µs; 99th percentile of a reply, ms)"
    )
    return [Table(title, head, body)]


MAKERS: dict[str, Callable[[list[Row], dict[str, str]], list[Table]]] = {
    "fanout": _fan_out,
    "burst": _simple(
        "A burst of 300 messages from 100 senders in a room of 100",
        {
            "lost": lambda row: percent(row["lost"]),
            "worst round": lambda row: percent(row["worst"]),
        },
    ),
    "opening": _simple(
        "Opening a connection, to the server's first word",
        {
            "CPU, µs": lambda row: number(row["cpu"]),
            "× the limit": lambda row: number(row["ratio"]),
            "median, ms": lambda row: number(row["p50"] / 1e3),
        },
    ),
    "memory": _simple(
        "Memory of an idle, signed-in, subscribed connection",
        {
            "KiB": lambda row: number(row["kib"]),
            "connections": lambda row: f"{row['connections']:,}",
        },
    ),
    "idle": _simple(
        "CPU of connections that do nothing",
        {
            "% of a core": lambda row: number(row["percent"]),
            "connections": lambda row: f"{row['connections']:,}",
            "still open": lambda row: f"{row['left']:,}",
        },
    ),
    "storm": _simple(
        "Everybody comes back at once to a server that was killed",
        {
            "connections": lambda row: f"{row['connections']:,}",
            "until all are back, s": lambda row: number(row["seconds"]),
            "came twice": lambda row: f"{row['again']:,}",
            "CPU a connection, µs": lambda row: number(row["cpu"]),
            "missed messages": lambda row: "resumed" if row["resumed"] else "gone",
        },
    ),
    "durable": _durable,
    "mute": _simple(
        "One of a room of 100 never reads",
        {
            "others' p99 before, ms": lambda row: number(row["before"] / 1e3),
            "after, ms": lambda row: number(row["after"] / 1e3),
            "others lost": lambda row: percent(row["lost"]),
            "server grew by, MiB": lambda row: number(row["grown"] / 1024),
            "of, MiB": lambda row: number(row["sent"] / 2**20),
            "is cut": lambda row: "yes" if row["cut"] else "no",
        },
    ),
}


def as_text(table: Table) -> str:
    """For a terminal: columns in line."""
    lines = [table.header, *table.rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(table.header))]
    shown = [
        "  ".join(
            [
                line[0].ljust(widths[0]),
                *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True)),
            ]
        )
        for line in lines
    ]
    return "\n".join([table.title, "", *shown])


def as_markdown(table: Table) -> str:
    """For a page."""
    marks = ["---", *("---:" for _ in table.header[1:])]
    lines = [table.header, marks, *table.rows]
    return "\n".join(
        [f"### {table.title}", "", *("| " + " | ".join(line) + " |" for line in lines)]
    )
