"""`conversation.search`: which conversations of mine have these words. Runs in reader threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection

from tertulia.chat.encode import timestamp
from tertulia.chat.people import Speaker
from tertulia.chat.read import snapshot
from tertulia.chat.sql import dialect
from tertulia.protocol import events as ev
from tertulia.protocol.errors import invalid
from tertulia.protocol.limits import QUERY

from ..models import Conversation
from ..read import mine_or_refused, moment_of, place_of
from ..state import WITH, states_of
from .index import engine, visitor_text
from .snippet import snippet
from .words import answers, wanted

# Of more places in which the words stand only these are looked at, the newest.
MOST = 20_000

_HITS = (
    "WITH hits AS (SELECT d.id, d.seq, c.id AS conversation, c.last_message_at AS said"
    " FROM {fitting} JOIN tertulia_support_conversation AS c ON c.id = d.conversation_id"
    " WHERE {fits} AND c.inbox_id IN ({inboxes}) ORDER BY {newest} LIMIT %s)"
    " SELECT conversation, MAX(CASE WHEN seq > 0 THEN id END),"
    " MAX(CASE WHEN seq = 0 THEN 1 ELSE 0 END) FROM hits {after}"
    " GROUP BY conversation, said ORDER BY said DESC, conversation DESC LIMIT %s"
)
_AFTER = "WHERE (said, conversation) < (%s, %s)"
_FOUND = (
    "SELECT d.conversation_id, d.note, m.seq, m.sent_at, m.text,"
    " p.public_id, m.author_name, p.kind, p.avatar FROM tertulia_support_searchtext d"
    " JOIN tertulia_support_conversation c ON c.id = d.conversation_id"
    " JOIN tertulia_chat_message m"
    " ON m.room_id = CASE WHEN d.note THEN c.notes_id ELSE c.room_id END AND m.seq = d.seq"
    " JOIN tertulia_chat_participant p ON p.id = m.author_id"
    " WHERE d.id IN ({marks}) AND NOT m.deleted"
)


class _Hit(NamedTuple):
    """A conversation that has the words: in a text, by its row; in who its visitor is."""

    conversation: int
    text: int | None
    visitor: bool


def conversation_search(
    speaker: Speaker, query: str, inbox: str | None, cursor: str | None, limit: int
) -> dict[str, Any]:
    """A page of what was found, in one of my inboxes or in all of them, the newest first."""
    if len(query) > QUERY:
        raise invalid("query", f"Search for {QUERY} characters at most: leave out some words.")
    after = None if cursor is None else moment_of(cursor)
    asked = wanted(query)
    with snapshot():
        inboxes = mine_or_refused(speaker, inbox)
        hits = _hits(asked, inboxes, after, limit + 1) if asked and inboxes else []
        shown = hits[:limit]
        rows = Conversation.objects.select_related(*WITH).in_bulk([hit[0] for hit in shown])
        found = _found([hit.text for hit in shown if hit.text is not None])
        more = place_of(rows[shown[-1].conversation]) if len(hits) > limit else None
        states = states_of([rows[hit.conversation] for hit in shown])
    results: list[ev.SearchResult] = []
    for hit, state in zip(shown, states, strict=True):
        conversation = rows[hit.conversation]
        told = found.get(hit.conversation)
        result = ev.SearchResult(
            conversation=state,
            found=None if told is None else _told(conversation, told, asked),
            visitor=_visitor(conversation, asked) if hit.visitor else None,
        )
        # What was changed behind our back is found by what it was, and not shown.
        if result.found is not None or result.visitor is not None:
            results.append(result)
    return {"results": results, "more": more}


def _hits(
    asked: list[str], inboxes: Sequence[int], after: tuple[Any, int] | None, limit: int
) -> list[_Hit]:
    made = engine(connection)
    sql = _HITS.format(
        fitting=made.FITTING,
        fits=made.FITS,
        newest=made.NEWEST,
        inboxes=",".join(["%s"] * len(inboxes)),
        after=_AFTER if after is not None else "",
    )
    values: list[Any] = [made.question(asked), *inboxes, MOST]
    if after is not None:
        values += [connection.ops.adapt_datetimefield_value(after[0]), after[1]]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*values, limit])
        return [_Hit(pk, text, bool(visitor)) for pk, text, visitor in cursor.fetchall()]


def _found(ids: Sequence[int]) -> dict[int, tuple[Any, ...]]:
    """The messages of these rows, by their conversations."""
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_FOUND.format(marks=",".join(["%s"] * len(ids))), list(ids))
        return {row[0]: row[1:] for row in cursor.fetchall()}


def _told(conversation: Conversation, row: tuple[Any, ...], asked: list[str]) -> ev.Found:
    note, seq, sent_at, text, *person = row
    shown = snippet(text, asked)
    return ev.Found(
        room=(conversation.notes if note else conversation.room).slug,
        seq=seq,
        at=timestamp(dialect(connection).time_of(sent_at)),
        author=ev.Person(*person),
        text=shown.text,
        marks=shown.marks,
        note=bool(note),
    )


def _visitor(conversation: Conversation, asked: list[str]) -> ev.Snippet | None:
    client = conversation.client
    text = visitor_text(client.participant.name, client.email, client.external_id)
    return snippet(text, asked) if answers(text, asked) else None
