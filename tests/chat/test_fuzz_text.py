"""Whatever somebody writes: what is shown is harmless and whole, names nobody who is not there, is
the same each time, and takes a time that grows with the text and no faster.
"""

from __future__ import annotations

import string
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.chat.languages import LANGUAGES
from tertulia.chat.naming import candidates
from tertulia.chat.text import Named, render
from tests.support.attacks import ATTACKS
from tests.support.fuzz import fuzz

from .shown import Shown

NAMES = {
    name: Named(f"{number:032x}", number)
    for number, name in enumerate(["ana", "ana maría", "josé", "<b>", "x y z", "a'b", "李"], 1)
}

MARKUP = (
    *("*", "**", "_", "__", "~~", "`", "``", "```", "~~~", "\\", "[", "]", "(", ")", "<", ">"),
    *("![", "](", "](<", "<http://", "https://", "HTTP://", "mailto:", "javascript:", "data:"),
    *("//", "://", "www.", "a.b", "@", "&", "&lt;", "&#60;", "&#x3c;", "&amp;", "&colon;", ":"),
    *("\n", "\n\n", "\n    ", "\t", "\r\n", " ", "  \n", "\n> ", "\n- ", "\n1. ", "\n# ", "\n---"),
    *("\n|a|b|\n|-|-|\n", "|", "\n```", "\n~~~", "<b>", "</p>", "<!--", "-->", "<![CDATA["),
    *("<script>", "</script>", "<svg onload=", "<img src=x onerror=", '"', "'", "=", "onclick="),
    *("@ana", "@Ana María", "@josé", "@<b>", "@x y z", "@a'b", "@李", "@eve", "data-id", "class="),
    *("\x00", "\u202e", "\u200b", "\u2066", "\ufeff", "\u0301", "ñ", "🦤", "\u00a0", "\x1b["),
)
words = (
    st.sampled_from(MARKUP)
    | st.sampled_from(sorted(LANGUAGES)).map(lambda language: f"\n```{language}\n")
    | st.sampled_from(ATTACKS)
    | st.text(max_size=6)
    | st.text(string.ascii_letters + string.digits, max_size=6)
)
texts = st.lists(words, max_size=30).map("".join).filter(str.strip)


@fuzz(400)
@given(texts | st.text(min_size=1).filter(str.strip))
def test_what_is_shown_is_harmless_and_the_same_each_time(text: str) -> None:
    rendered = render(text, NAMES)
    shown = Shown(rendered.html)
    assert render(text, dict(NAMES)) == rendered
    # Who is mentioned is named in the text, is in the room, and is shown.
    assert list(dict.fromkeys(shown.mentioned)) == [named.public_id for named in rendered.mentions]
    by_id = {named.public_id: name for name, named in NAMES.items()}
    assert {by_id[each] for each in shown.mentioned} <= candidates(text)


@fuzz(150)
@given(texts)
def test_where_nobody_is_named_nobody_is_mentioned(text: str) -> None:
    rendered = render(text, {"somebody else": Named("f" * 32, 9)})
    assert rendered.mentions == []
    assert Shown(rendered.html).mentioned == []


# Without what takes letters away: addresses behind a link, entities, languages of code, cells
# that a table's head has no column for.
SAFE = (
    *("*", "**", "_", "~~a~~", "`a`", "\\*", " ", "  \n", "\n", "\n\n", "\n    ", "\t", "(", ")"),
    *(
        "\n> ",
        "\n- ",
        "\n1. ",
        "\n# ",
        "\n---\n",
        "@",
        "@ana",
        "@Ana María",
        "@eve",
        ".",
        "!",
        "?",
        '"',
    ),
    *("https://a.b/", "mailto:", "://", "\u202e", "\u200b", "ñ", "🦤", "|", "<", ">"),
)


@fuzz(200)
@given(
    st.lists(st.sampled_from(SAFE) | st.text("abcñßİ€李", max_size=5), max_size=30)
    .map("".join)
    .filter(str.strip)
)
def test_no_word_is_lost_and_none_made_up(text: str) -> None:
    letters = [char for char in text if char.isalpha()]
    assert [char for char in Shown(render(text, NAMES).html).text if char.isalpha()] == letters


def lines(work: Callable[[], Any]) -> int:
    """How many lines of Python it executes: the same each time, whatever else the machine does."""
    count = 0

    def trace(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def steps(pattern: str, size: int) -> int:
    text = (pattern * (size // len(pattern) + 1))[:size]
    return lines(lambda: render(text, NAMES))


# What a text of any length may take besides: caches that are filled, and the rules of a block.
BASE = 5_000


@fuzz(40)
@given(st.lists(words.filter(bool), min_size=1, max_size=4).map("".join))
def test_four_times_the_text_takes_no_more_than_four_times_the_steps(pattern: str) -> None:
    few, many = steps(pattern, 1_500), steps(pattern, 6_000)
    assert many <= 5 * few + BASE


@pytest.mark.parametrize(
    "pattern", ["[", "![", "*a", "**a ", "> ", "`", "<", "|a", "- ", "@ana ", "a_", "https://a("]
)
def test_the_longest_texts_take_no_more_steps_than_a_long_one(pattern: str) -> None:
    """At 64 KiB the budget is spent: what lies beyond it is shown as it was written."""
    assert steps(pattern, 65_536) <= 4 * steps(pattern, 16_384) + BASE
