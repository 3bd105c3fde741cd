"""Bars as SVG, for the README: readable on light and dark pages, so nothing is black or white."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

from .tables import Result, number, writing

# Mid tones: at least 3:1 on white and on GitHub's dark ground.
OURS, OTHERS, LIMIT, TEXT, FAINT = "#2f81f7", "#8b949e", "#2da44e", "#7d8590", "#7d859055"
WIDTH, NAMES, VALUES, BAR, GAP, TOP = 820, 390, 110, 18, 8, 44
FONT = "-apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"


@dataclass(frozen=True)
class Bar:
    """`label` stands behind it."""

    key: str
    name: str
    value: float
    label: str


def drawn(result: Result, folder: Path) -> list[Path]:
    """The plots for which the result has figures; the files that were written."""
    made = {
        "cpu-a-delivery.svg": _cpu(result),
        "memory-a-connection.svg": _memory(result),
        "durable-messages.svg": _durable(result),
    }
    paths = []
    for name, picture in made.items():
        if picture:
            (folder / name).write_text(picture)
            paths.append(folder / name)
    return paths


def _cpu(result: Result) -> str | None:
    rows = [
        row
        for row in result["measures"].get("fanout", [])
        if row["room"] == 1_000 and row["window"] == 1
    ]
    bars = [
        Bar(row["key"], result["names"][row["key"]], row["cpu"], f"{number(row['cpu'])} µs")
        for row in rows
    ]
    return _picture("CPU a delivery, room of 1,000, one message at a time", bars)


def _memory(result: Result) -> str | None:
    rows = [row for row in result["measures"].get("memory", []) if row["key"] != "limit"]
    bars = [
        Bar(row["key"], result["names"][row["key"]], row["kib"], f"{number(row['kib'])} KiB")
        for row in rows
    ]
    return _picture("Memory of an idle, signed-in, subscribed connection", bars)


def _durable(result: Result) -> str | None:
    rows = result["measures"].get("durable", [])
    bars = [
        Bar(
            row["key"],
            f"{_database(row['key'])}, {writing(row['writers'], row['window'])}",
            row["messages"],
            f"{row['messages']:,.0f}",
        )
        for row in rows
    ]
    return _picture("Durable messages a second, answered", bars)


def _database(key: str) -> str:
    return "Tertulia on PostgreSQL" if "postgres" in key else "Tertulia on SQLite (FULL)"


def _picture(title: str, bars: list[Bar]) -> str | None:
    if not bars:
        return None
    most = max(bar.value for bar in bars) or 1
    room = WIDTH - NAMES - VALUES
    height = TOP + len(bars) * (BAR + GAP)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        f' width="{WIDTH}" height="{height}" role="img" font-family="{FONT}">',
        f"<title>{escape(title)}</title>",
        f'<text x="0" y="20" font-size="16" font-weight="600" fill="{TEXT}">{escape(title)}</text>',
    ]
    for i, bar in enumerate(bars):
        lines += _bar(bar, TOP + i * (BAR + GAP), max(bar.value / most * room, 1.5))
    axis = f'<path d="M{NAMES} {TOP - 6}V{height}" stroke="{FAINT}"/>'
    return "\n".join([*lines, axis, "</svg>"]) + "\n"


def _bar(bar: Bar, y: float, length: float) -> list[str]:
    ours = bar.key.startswith("tertulia")
    colour = OURS if ours else LIMIT if bar.key.startswith("limit") else OTHERS
    weight = ' font-weight="600"' if ours else ""
    text = f'y="{y + BAR * 0.72:.1f}" font-size="13" fill="{TEXT}"{weight}'
    return [
        f'<text x="{NAMES - 10}" {text} text-anchor="end">{escape(bar.name)}</text>',
        f'<rect x="{NAMES}" y="{y}" width="{length:.1f}" height="{BAR}" rx="2" fill="{colour}"/>',
        f'<text x="{NAMES + length + 8:.1f}" {text}>{escape(bar.label)}</text>',
    ]
