"""SQLite: an FTS5 table beside the texts, which triggers keep in step whoever writes them.

Each word is a token as `words` has made it: `ascii` parts them at spaces alone, and takes whatever
else is not ASCII for a letter.
"""

from __future__ import annotations

TEXTS = "tertulia_support_searchtext"
INDEX = "tertulia_support_searchindex"
_PUT = f"INSERT INTO {INDEX} (rowid, words) VALUES (new.id, new.words);"
_TAKE = f"INSERT INTO {INDEX} ({INDEX}, rowid, words) VALUES ('delete', old.id, old.words);"
CREATE = (
    f"CREATE VIRTUAL TABLE {INDEX} USING fts5(words, content='{TEXTS}', content_rowid='id',"
    " tokenize='ascii', detail='none', columnsize=0, prefix='2 3')",
    f"CREATE TRIGGER {INDEX}_put AFTER INSERT ON {TEXTS} BEGIN {_PUT} END",
    f"CREATE TRIGGER {INDEX}_take AFTER DELETE ON {TEXTS} BEGIN {_TAKE} END",
    f"CREATE TRIGGER {INDEX}_change AFTER UPDATE ON {TEXTS} BEGIN {_TAKE} {_PUT} END",
)
DROP = (
    *(f"DROP TRIGGER IF EXISTS {INDEX}_{name}" for name in ("put", "take", "change")),
    f"DROP TABLE IF EXISTS {INDEX}",
)
# Whether this SQLite has what it takes.
ABLE = "SELECT 1 FROM pragma_module_list WHERE name = 'fts5'"
UNABLE = (
    "This Python's SQLite has no FTS5, which the support desk searches with: use a Python that has"
    " it, such as those of python.org, Debian or uv, or PostgreSQL."
)

# CROSS JOIN keeps SQLite to this order: what fits first, the newest first.
FITTING = f"{INDEX} AS f CROSS JOIN {TEXTS} AS d ON d.id = f.rowid CROSS"
FITS = f"{INDEX} MATCH %s"
NEWEST = "f.rowid DESC"


def question(asked: list[str]) -> str:
    """What `FITS` takes: all of these beginnings of words."""
    return " ".join(f'"{word}"*' for word in asked)
