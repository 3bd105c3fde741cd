"""Text to HTML: the short way gives what the long way gives, and nothing dangerous comes out."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.chat import text as module
from tertulia.chat.text import Named, candidates, render

ANA = Named("0123456789abcdef0123456789abcdef", 1)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("hola", "<p>hola</p>"),
        ("uno\ndos", "<p>uno<br>\ndos</p>"),
        ("**muy** _bien_", "<p><strong>muy</strong> <em>bien</em></p>"),
        ("`a < b`", "<p><code>a &lt; b</code></p>"),
        ("1 < 2 & 3", "<p>1 &lt; 2 &amp; 3</p>"),
        ("- uno\n- dos", "<ul>\n<li>uno</li>\n<li>dos</li>\n</ul>"),
        (
            "https://example.org/a?b=1",
            '<p><a href="https://example.org/a?b=1" rel="noopener nofollow ugc">'
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
    if not written.strip() or module._MARKUP.search(written):
        return
    long_way = module.nh3.clean(
        module._markdown.render(written, {"names": {}, "mentions": {}}),
        tags=module._TAGS,
        attributes=module._ATTRIBUTES,
    ).strip()
    assert _visible(render(written).html) == _visible(long_way)


def _visible(shown: str) -> str:
    """What a browser makes of white space, and entities as their characters."""
    return re.sub(r"\s*(<br>|</?p>)\s*", r"\1", re.sub(r"\s+", " ", html.unescape(shown)))


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](https://example.org/tracker.png)",
        "<a href='javascript:alert(1)'>x</a>",
        "[x](vbscript:x)",
        "<style>*{display:none}</style>",
        "<iframe src=//example.org></iframe>",
        '[x](https://example.org "onmouseover=alert(1)")',
        "`<svg onload=alert(1)>`",
        '<http://example.org/"onclick=alert(1)>',
    ],
)
def test_nothing_dangerous_comes_out(attack: str) -> None:
    shown = render(attack).html
    assert not re.search(r"<(script|img|style|iframe|svg|object|embed)\b", shown, re.I)
    assert not re.search(r"<[^>]*\son\w+\s*=", shown, re.I)
    assert not re.search(r'(href|src)="?\s*(javascript|data|vbscript)', shown, re.I)


@given(st.text(max_size=200))
def test_only_the_allowed_tags_and_attributes_come_out(written: str) -> None:
    shown = render(written).html if written.strip() else ""
    for tag, attributes in re.findall(r"<([a-z0-9]+)((?:\s[^>]*)?)>", shown):
        assert tag in module._TAGS
        for name in re.findall(r"\s([a-z-]+)=", attributes):
            assert name in {"href", "rel", "class", "data-id", "start"}


def test_somebody_of_the_room_is_mentioned_once_with_his_name_as_written() -> None:
    shown = render("hola @Ana. ¿@ana?", {"ana": ANA})
    assert shown.mentions == [ANA]
    assert f'<span class="mention" data-id="{ANA.public_id}">@Ana</span>.' in shown.html


@pytest.mark.parametrize("written", ["ana@example.org", "@bea", "`@ana`", "x@ana", "\\@ana"])
def test_what_is_no_mention_is_none(written: str) -> None:
    assert render(written, {"ana": ANA}).mentions == []


def test_names_of_every_script_are_candidates() -> None:
    assert candidates("@José @李明 @ana-maría.") >= {"josé", "李明", "ana-maría"}
