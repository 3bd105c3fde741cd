"""PostgreSQL: a GIN index over the words of the texts as a `tsvector`.

It is one of an expression, so that the table holds nothing that a backup could not write down. The
words are those of `words`, and no parser or dictionary of PostgreSQL's touches them.
"""

from __future__ import annotations

TEXTS = "tertulia_support_searchtext"
INDEX = "tertulia_support_searchindex"
_WORDS = "array_to_tsvector(string_to_array({}words, ' '))"
# Without a list of what is still to be put in: each search would go through it, and one message in
# thousands would wait until it is empty.
CREATE = (
    f"CREATE INDEX {INDEX} ON {TEXTS} USING gin ({_WORDS.format('')}) WITH (fastupdate = off)",
)
DROP = (f"DROP INDEX IF EXISTS {INDEX}",)
ABLE = "SELECT 1"
UNABLE = ""

FITTING = f"{TEXTS} AS d"
FITS = f"{_WORDS.format('d.')} @@ %s::tsquery"
NEWEST = "d.id DESC"


def question(asked: list[str]) -> str:
    """What `FITS` takes: all of these beginnings of words."""
    return " & ".join(f"'{word}':*" for word in asked)
