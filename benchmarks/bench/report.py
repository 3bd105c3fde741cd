"""A result on the screen, and kept in files."""

from __future__ import annotations

import json
from pathlib import Path

from . import machine
from .tables import Result, as_markdown, as_text, tables


def shown(result: Result) -> str:
    """What the terminal shows at the end."""
    parts = [_about(result), *(as_text(table) for table in tables(result)), *_failures(result)]
    return "\n\n".join(parts)


def saved(result: Result, folder: Path) -> list[Path]:
    """Write JSON and Markdown; the files."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{result['date'][:10]}-{machine.kind(result['machine'])}"
    data, page = folder / f"{stem}.json", folder / f"{stem}.md"
    data.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    page.write_text(_page(result))
    return [data, page]


def _about(result: Result) -> str:
    on = result["machine"]
    return (
        f"{on['processor']}, {on['cores']} cores, {on['memory_mib']:,} MiB, {on['system']},"
        f" {on['kernel']}, commit {on['commit']}, {result['date']}.\n"
        f"Messages of 200 bytes; our event for one has {result['event_bytes']} bytes, and so has"
        " the frame of the limit. CPU is that of all processes of a server. Medians of"
        f" {result['rounds']} rounds, taken in turn."
    )


def _failures(result: Result) -> list[str]:
    """Loud: who is missing from the tables, and what would mend it."""
    lines = [f"  {result['names'].get(key, key)}: {why}" for key, why in result["missing"].items()]
    parts = ["NOT MEASURED, since it is not here:\n" + "\n".join(lines)] if lines else []
    lines = [
        f"  {result['names'].get(one['key'], one['key'])}, {one['measure']}: {one['reason']}"
        for one in result["failed"]
    ]
    return [*parts, "LEFT OUT:\n" + "\n".join(lines)] if lines else parts


def _page(result: Result) -> str:
    who = [
        f"| {name} | {result['remarks'].get(key, '')} | {_versions(result, key)} |"
        for key, name in result["names"].items()
        if key in result["versions"]
    ]
    parts = [
        f"# Benchmark of {result['date'][:10]}",
        _about(result),
        f"Made by `{result['command']}` in {result['seconds'] / 60:.0f} minutes;"
        " [what is counted](../README.md). All rounds are in the JSON file beside this one.",
        *(as_markdown(table) for table in tables(result)),
        *_failures(result),
        "### Who was measured\n\n| | | versions |\n| --- | --- | --- |\n" + "\n".join(who),
    ]
    return "\n\n".join(parts) + "\n"


def _versions(result: Result, key: str) -> str:
    return ", ".join(f"{name} {version}" for name, version in result["versions"][key].items())
