"""Run by itself: what two databases do for a search, one with eight times the conversations.

    python -m tests.support.searchwork FOLDER URL,URL

A URL of `sqlite` is a file in the folder. Printed as JSON: every search with its name, what it
found and its work in both databases, and its scans in the second: the table and how it is looked
at. The last is none of the product's: it goes through all texts.
"""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.planning import bases
from benchmarks.planning.watch import watch

SIZES = {"few": 500, "many": 4_000}
MESSAGES = 8
# Conversations in which something rare was said, as many in both; the oldest of them.
RARE = 12
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def fill(connection: Any, conversations: int) -> Any:
    """Conversations with their messages and notes; the agent of their inbox."""
    from django.core.management import call_command

    from tertulia.chat.models import Message, Participant, Room
    from tertulia.chat.people import speaker_of
    from tertulia.support.models import Agent, Conversation, Inbox, Visitor
    from tertulia.support.search import index

    call_command("migrate", interactive=False, verbosity=0)
    agent = Participant.objects.create(name="ana")
    inbox = Inbox.objects.create(name="Shop")
    Agent.objects.create(inbox=inbox, participant=agent)
    numbers = range(conversations)
    people = Participant.objects.bulk_create(
        Participant(name=f"Visitor {n}", name_fold="\n", kind="visitor") for n in numbers
    )
    visitors = Visitor.objects.bulk_create(Visitor(participant=p, inbox=inbox) for p in people)
    rooms = Room.objects.bulk_create(
        Room(slug=f"r{n}", slug_fold=f"r{n}", kind="support", head=MESSAGES, messages=MESSAGES)
        for n in range(2 * conversations)
    )
    Conversation.objects.bulk_create(
        Conversation(
            room=rooms[2 * n],
            notes=rooms[2 * n + 1],
            inbox=inbox,
            client=visitors[n],
            last_seq=MESSAGES,
            last_message_at=BEGAN + timedelta(minutes=n),
        )
        for n in numbers
    )
    Message.objects.bulk_create(
        (
            Message(
                room=rooms[2 * n + (seq == 3)],
                seq=seq,
                number=seq,
                version=seq,
                content_seq=seq,
                author=agent,
                author_name="ana",
                key=uuid.UUID(int=n * 100 + seq),
                text=f"{'rarely' if n < RARE and seq == 4 else 'often'} about order {n} {seq}",
                html="",
                renderer=1,
                sent_at=BEGAN + timedelta(minutes=n, seconds=seq),
            )
            for n in numbers
            for seq in range(1, MESSAGES + 1)
        ),
        batch_size=500,
    )
    index.fill(connection)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return speaker_of(agent)


def searches(speaker: Any) -> dict[str, Callable[[], Any]]:
    """What is measured, by its name."""
    from tertulia.support.search.find import conversation_search

    def search(query: str) -> Callable[[], Any]:
        return lambda: conversation_search(speaker, query, None, None, 50)

    return {
        "a rare word": search("rarely"),
        "the beginning of a rare word": search("rar"),
        "rare among frequent ones": search("order about rarely"),
        "nowhere": search("nowhere"),
        "a visitor": search("visitor 17"),
        "everywhere": search("often"),
        "without an index": gone_through,
    }


def gone_through() -> dict[str, Any]:
    """As it would be done without one."""
    from tertulia.support.models import SearchText

    return {"results": list(SearchText.objects.filter(words__contains="rarely"))}


def taken(made: dict[str, dict[str, Callable[[], Any]]]) -> list[dict[str, Any]]:
    """Each search in both databases."""
    told = []
    for name in made["few"]:
        work, scans, found = [], [], []
        for alias, by_name in made.items():
            with bases.using(alias) as connection:
                found.append(len(by_name[name]()["results"]))
                statements = watch(connection, by_name[name], writes=False)
            work.append(sum(statement.work for statement in statements))
            scans = [[scan.table, scan.how] for each in statements for scan in each.plan.scans]
        told.append({"name": name, "work": work, "scans": scans, "found": found})
    return told


def main(folder: str, urls: str) -> None:
    given = [None if url == "sqlite" else url for url in urls.split(",")]
    bases.set_up(Path(folder), dict(zip(SIZES, given, strict=True)))
    made = {}
    for alias, size in SIZES.items():
        with bases.using(alias) as connection:
            made[alias] = searches(fill(connection, size))
    print(json.dumps(taken(made)))


if __name__ == "__main__":
    main(*sys.argv[1:])
