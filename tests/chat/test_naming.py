"""Mentions: the longest name that somebody has after an @, of up to five words."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tertulia.chat.naming import MARKS, candidates
from tertulia.chat.text import Named, render
from tests.support.people import Person

ANA = Named("a" * 32, 1)
MARIA = Named("b" * 32, 2)
LONG = Named("c" * 32, 3)
NAMES = {"ana": ANA, "ana maría": MARIA, "o'brien": LONG, "a b c d e": LONG, "a b c d e f": ANA}


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("hola @Ana María, ¿vienes?", "@Ana María"),
        ("@ANA MARÍA", "@ANA MARÍA"),
        ("@Ana Maria", "@Ana"),
        ("@Ana  María", "@Ana"),
        ("@Ana\nMaría", "@Ana"),
        ("**@Ana María**", "@Ana María"),
        ("(@Ana María!)", "@Ana María"),
        ("@Ana María...", "@Ana María"),
        ("@Ana María's", "@Ana María"),
        ("@ana's", "@ana"),
        ("@O'Brien's", None),
        ("@O'Brien", "@O'Brien"),
        ("@a b c d e f", "@a b c d e"),
        ("@anabel", None),
        ("@ ana", None),
    ],
)
def test_the_longest_name_counts(written: str, named: str | None) -> None:
    shown = render(written, NAMES)
    if named is None:
        assert shown.mentions == []
    else:
        assert len(shown.mentions) == 1
        assert f">{named}</span>" in shown.html


def test_only_so_many_are_looked_for() -> None:
    """Each costs as much as a page of text."""
    assert render("@ana " * (MARKS + 5), NAMES).html.count('class="mention"') == MARKS


def test_names_of_every_script_are_candidates() -> None:
    found = candidates("@José @李明 @ana-maría. @नमिता राव")
    assert found >= {"josé", "李明", "ana-maría", "नमिता", "नमिता राव"}


@pytest.mark.parametrize("text", ["@a b c d e ", "@a! b! c! d! e!", "@é!é!é!", "@", "@a " * 9])
def test_no_text_has_many_readings(text: str) -> None:
    """Their number is what the database is asked for, and what the time goes with."""
    once = len(candidates(text))
    assert once <= 30
    assert len(candidates((text + " ") * 2_000)) <= 30 * MARKS


async def test_a_name_of_two_words_is_mentioned_in_its_room(talk: Any, bea: Person) -> None:
    name = f"Bea María {bea.name}"
    code = f"""
from tertulia.chat.models import Participant
person = Participant.objects.get(public_id="{bea.id}")
person.name = "{name}"
person.save()
"""
    await asyncio.to_thread(bea.server.shell, code)
    await talk.ana.say(talk.room, f"hola @{name.lower()}, ¿qué tal?")
    event = await talk.bea.expect("message.created")
    assert event["message"]["mentions"] == [bea.id]
    assert f'data-id="{bea.id}">@{name.lower()}</span>,' in event["message"]["html"]
