"""Reading the plans of both databases, and finding fault with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

# The tables that grow for as long as people talk.
LARGE = frozenset(
    {
        *("tertulia_chat_message", "tertulia_chat_event", "tertulia_chat_membership"),
        *("tertulia_chat_mention", "tertulia_chat_reaction", "tertulia_chat_accesschange"),
        "django_session",
    }
)
# Rows that may be read and not used, which are two pages; and that may be put into order, which
# are those of the longest resume.
WASTED, SORTED = 200, 500

_WORDS = "WHERE|SET|ON|ORDER|LEFT|INNER|CROSS|JOIN|LIMIT|GROUP|VALUES"
_NAMED = re.compile(
    r'\b(?:FROM|JOIN|UPDATE(?:\s+OR\s+\w+)?|INTO)\s+"?(\w+)"?'
    rf'(?:\s+(?:AS\s+)?"?(?!(?:{_WORDS})\b)(\w+)"?)?',
    re.IGNORECASE,
)
_SQLITE_SCAN = re.compile(r"(SEARCH|SCAN) (\w+)(?: EXISTS)?(?: USING (.*))?$")


@dataclass
class Scan:
    """How one table is looked at."""

    table: str
    how: str
    """`seq`: from one end to the other; `search`: by an index, from a place in it; `walk`: along
    an index from its end, until enough is found."""
    index: str = ""
    rows: int | None = None
    """Rows looked at; None where the database does not tell."""
    thrown: int = 0
    """Of these, rows that were read and did not fit."""


@dataclass
class Sort:
    """Rows that are put into order."""

    rows: int | None = None
    """None where the database does not tell."""
    large: bool = False
    """Whether they come from a table that grows."""


@dataclass
class Plan:
    """What one statement does."""

    scans: list[Scan] = field(default_factory=list)
    sorts: list[Sort] = field(default_factory=list)
    offset: bool = False

    def faults(self) -> list[str]:
        """What must not be, in words."""
        found = []
        for scan in self.scans:
            if scan.table not in LARGE:
                continue
            if scan.how == "seq":
                found.append(f"scans {short(scan.table)}")
            if scan.thrown > WASTED:
                found.append(f"reads {scan.thrown} rows of {short(scan.table)} for nothing")
        sorted_rows = [sort.rows for sort in self.sorts if sort.large and sort.rows is not None]
        found += [f"sorts {rows} rows" for rows in sorted_rows if rows > SORTED]
        if self.offset:
            found.append("has an OFFSET")
        return found

    def told(self) -> str:
        """The plan in a line."""
        parts = []
        for scan in self.scans:
            rows = "" if scan.rows is None else f" {scan.rows}"
            by = f" by {scan.index}" if scan.index else ""
            parts.append(f"{scan.how} {short(scan.table)}{by}{rows}")
        parts += ["sort" if sort.rows is None else f"sort {sort.rows}" for sort in self.sorts]
        return "; ".join(parts)


def short(name: str) -> str:
    """A table or index without what all of ours begin with."""
    return (
        name.replace("sqlite_autoindex_", "").replace("tertulia_chat_", "").replace("tertulia_", "")
    )


def _offset(sql: str) -> bool:
    return re.search(r"\bOFFSET\s+[1-9]", sql, re.IGNORECASE) is not None


def sqlite_plan(sql: str, lines: list[str]) -> Plan:
    """The plan of EXPLAIN QUERY PLAN."""
    tables: dict[str, str] = {}
    for table, alias in _NAMED.findall(sql):
        tables.setdefault(table, table)
        if alias:
            tables[alias] = table
    plan = Plan(offset=_offset(sql))
    # Without a condition and with a LIMIT, a scan ends after so many rows.
    ends = " LIMIT " in sql and " WHERE " not in sql
    for line in lines:
        if "TEMP B-TREE" in line:
            plan.sorts.append(Sort())
        elif found := _SQLITE_SCAN.match(line):
            verb, name, by = found.groups()
            table = tables.get(name)
            if table is None:
                continue
            sorted_by = any("TEMP B-TREE FOR ORDER" in other for other in lines)
            how = "search" if verb == "SEARCH" else "walk" if ends and not sorted_by else "seq"
            plan.scans.append(Scan(table, how, _sqlite_index(by or "")))
    return plan


def _sqlite_index(by: str) -> str:
    """`COVERING INDEX name (room_id=? AND seq<?)` → `name (room_id= seq<)`."""
    index, _, columns = by.partition(" (")
    index = index.replace("COVERING INDEX", "").replace("AUTOMATIC", "").replace("INDEX", "")
    index = index.replace("INTEGER PRIMARY KEY", "id").strip()
    columns = columns.rstrip(")").replace("?", "").replace(" AND ", " ")
    return f"{short(index)} ({columns})" if columns else short(index)


def postgres_plan(sql: str, top: dict[str, Any]) -> Plan:
    """The plan of EXPLAIN (ANALYZE, FORMAT JSON)."""
    plan = Plan(offset=_offset(sql))
    for node, limited in _nodes(top, limited=False):
        kind, loops = node["Node Type"], node.get("Actual Loops", 1)
        if kind == "Sort":
            tables = {each.get("Relation Name") for each, _ in _nodes(node, limited=False)}
            rows = sum(_rows(child) for child in node.get("Plans", ()))
            plan.sorts.append(Sort(rows, bool(tables & LARGE)))
        table = node.get("Relation Name")
        if table is None or kind in ("ModifyTable", "LockRows"):
            continue
        removed = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
        thrown = round(sum(node.get(each, 0) for each in removed) * loops)
        index = node.get("Index Name", "")
        if kind == "Bitmap Heap Scan":
            index = next(
                n["Index Name"] for n, _ in _nodes(node, limited=False) if "Index Name" in n
            )
        how = _how(node, kind, limited=limited and thrown <= WASTED)
        plan.scans.append(Scan(table, how, short(index), _rows(node) + thrown, thrown))
    return plan


def _how(node: dict[str, Any], kind: str, *, limited: bool) -> str:
    inside = _nodes(node, limited=False) if kind == "Bitmap Heap Scan" else [(node, limited)]
    if any("Index Cond" in each for each, _ in inside):
        return "search"
    if kind in ("Index Scan", "Index Only Scan") and limited:
        return "walk"
    return "seq"


def _nodes(node: dict[str, Any], *, limited: bool) -> Iterator[tuple[dict[str, Any], bool]]:
    """Every node, and whether a LIMIT ends it early."""
    yield node, limited
    kind = node["Node Type"]
    if kind == "Limit":
        limited = True
    elif kind in ("Sort", "Aggregate", "Hash"):
        limited = False
    for child in node.get("Plans", ()):
        yield from _nodes(child, limited=limited)


def _rows(node: dict[str, Any]) -> int:
    """Rows that a node gave, over all its loops."""
    return round(node.get("Actual Rows", 0) * node.get("Actual Loops", 1))
