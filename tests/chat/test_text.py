"""Text to HTML: the short way gives what the long way gives, and nothing dangerous comes out."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.chat import text as module
from tertulia.chat.text import Named, render
from tests.support.attacks import ATTACKS

from .shown import Shown

ANA = Named("0123456789abcdef0123456789abcdef", 1)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("hola", "<p>hola</p>"),
        ("uno\ndos", "<p>uno<br>\ndos</p>"),
        ("**muy** _bien_", "<p><strong>muy</strong> <em>bien</em></p>"),
        ("`a < b`", "<p><code>a &lt; b</code></p>"),
        ("1 < 2 & 3", "<p>1 &lt; 2 &amp; 3</p>"),
        ("- uno\n- dos", '<ul dir="auto">\n<li>uno</li>\n<li>dos</li>\n</ul>'),
        (
            "https://example.org/a?b=1",
            '<p><a href="https://example.org/a?b=1" target="_blank" rel="noopener nofollow ugc">'
            "https://example.org/a?b=1</a></p>",
        ),
    ],
)
def test_what_is_written_is_shown(written: str, shown: str) -> None:
    assert render(written).html == shown


# Letters, digits, punctuation and line ends: what people write when they write no markup.
plain = st.text(
    alphabet=st.characters(codec="utf-8", categories=("L", "Nd", "Zs", "Po", "So")),
    min_size=1,
    max_size=40,
)


@given(st.lists(plain, min_size=1, max_size=4).map("\n".join))
def test_the_short_way_gives_what_the_long_way_gives(written: str) -> None:
    if not written.strip() or not module._is_plain(written):
        return
    assert _visible(render(written).html) == _visible(module._long_way(written, {}).html)


def _visible(shown: str) -> str:
    """What a browser makes of white space, and entities as their characters."""
    return re.sub(r"\s*(<br>|</?p>)\s*", r"\1", re.sub(r"\s+", " ", html.unescape(shown)))


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_dangerous_comes_out(attack: str) -> None:
    for text in (attack, f"**{attack}**", f"- {attack}", f"> {attack}", f"[x]({attack})"):
        Shown(render(text, {"ana": ANA}).html)


def test_the_corpus_is_no_smaller_than_it_was() -> None:
    assert len(set(ATTACKS)) == len(ATTACKS) >= 285


@given(st.text(max_size=200))
def test_only_the_allowed_tags_and_attributes_come_out(written: str) -> None:
    Shown(render(written).html if written.strip() else "")


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("see https://example.org/a_b(c)_d.", "https://example.org/a_b(c)_d"),
        ("(https://example.org/*x*)", "https://example.org/*x"),
        ("**https://example.org/**", "https://example.org/"),
        ("HTTPS://Example.org", "HTTPS://Example.org"),
        ("mailto:ana@example.org, please", "mailto:ana@example.org"),
        ("<https://example.org/x>", "https://example.org/x"),
        ("[here](https://example.org/x)", "https://example.org/x"),
        ("[https://one.example](https://two.example)", "https://two.example"),
    ],
)
def test_addresses_become_links_without_the_sentence_around_them(
    written: str, address: str
) -> None:
    assert re.findall('href="([^"]*)"', render(written).html) == [address]


@pytest.mark.parametrize(
    "written",
    [
        *("https://", "xhttps://example.org", "`https://example.org`", "mailto:", "ftp://a.b"),
        *("[x](/accounts/logout/)", "[x](//example.org)", "[x](#top)", "<tel:+1>", "10:30"),
    ],
)
def test_what_is_no_link_is_none(written: str) -> None:
    assert "<a" not in render(written).html


@pytest.mark.parametrize(
    "text",
    [
        "|a" * 1_250 + "|\n" + "|-" * 1_250 + "|\n" + "x\n" * 2_400,
        "[" * 9_000,
        "* a\n" * 2_500,
        "://" * 3_300,
        "`a` " * 2_500,
        "a\n\n" * 3_000,
        "".join("  " * depth + "- a\n" for depth in range(40)) + "after",
        "> " * 30 + "a",
    ],
)
def test_what_is_beyond_the_budget_is_shown_as_it_was_written(text: str) -> None:
    shown = render(f"**first**\n\n{text}\nthe end").html
    Shown(shown)
    assert shown.startswith("<p><strong>first</strong></p>")
    assert "the end" in shown
    assert len(shown) < 6 * len(text) + 2_000
    words = "".join(re.findall(r"[a-z\[:/]", html.unescape(re.sub("<[^>]*>", "", shown))))
    assert words == "".join(re.findall(r"[a-z\[:/]", f"first{text}the end"))


def test_a_long_message_of_an_ordinary_kind_is_within_the_budget() -> None:
    line = "- Ana wrote **this** and `that`, see https://example.org/page\n"
    text = line * (10_000 // len(line))
    assert render(text).html.count("<code>that</code>") == text.count("`that`")


def test_somebody_of_the_room_is_mentioned_once_with_his_name_as_written() -> None:
    shown = render("hola @Ana. ¿@ana?", {"ana": ANA})
    assert shown.mentions == [ANA]
    assert f'<span class="mention" data-id="{ANA.public_id}">@Ana</span>.' in shown.html


@pytest.mark.parametrize("written", ["ana@example.org", "@bea", "`@ana`", "x@ana", "\\@ana"])
def test_what_is_no_mention_is_none(written: str) -> None:
    assert render(written, {"ana": ANA}).mentions == []
