"""Code in colours: no character lost, no word guessed, no input that takes for ever."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.chat.highlight import CODE, SPANS, Spans, highlight, language_of, scan
from tertulia.chat.languages import CLASSES, LANGUAGES
from tertulia.chat.text import render

ALL = sorted({language.id for language in LANGUAGES.values()})


def colours(code: str, language: str) -> list[tuple[str, str]]:
    """(class, text) of the spans that a message with this code has."""
    shown = render(f"```{language}\n{code}\n```").html
    spans = re.findall(r'<span class="(\w+)">([^<]*)</span>', shown)
    return [(kind, html.unescape(text)) for kind, text in spans]


@pytest.mark.parametrize(
    ("language", "code", "expected"),
    [
        ("python", "def f(x): return 'a'  # b", "k:def nf:f k:return s:'a' c:# b"),
        ("py", '"""a\nb""" @c', 's:"""a\nb""" nd:@c'),
        ("js", "const a = `b${c}` + 1.5", "k:const s:`b${c}` m:1.5"),
        ("ts", "let a: Thing = null", "k:let nc:Thing kc:null"),
        ("json", '{"a": "b", "c": true}', 'na:"a" s:"b" na:"c" kc:true'),
        ("yaml", "a: true # b", "na:a kc:true c:# b"),
        ("html", '<a href="x">y</a>', 'nt:<a na:href s:"x" nt:> nt:</a>'),
        ("css", ".a { color: red } /* b */", "nc:.a na:color c:/* b */"),
        ("bash", "if true; then echo $A --b; fi", "k:if kc:true k:then echo nv:$A na:--b k:fi"),
        ("sql", "Select 'it''s' -- b", "k:Select s:'it''s' c:-- b"),
        ("rust", 'let a: &\'b str = "c";', 'k:let nv:\'b k:str s:"c"'),
        ("c++", "#include <a>\nint f();", "nd:#include k:int nf:f"),
        ("go", "func f() error { return nil }", "k:func nf:f k:error k:return kc:nil"),
        ("diff", "@@ -1 +1 @@\n-a\n+b", "gh:@@ -1 +1 @@ gd:-a gi:+b"),
        ("console", "$ ls", "gp:$ "),
    ],
)
def test_what_is_coloured(language: str, code: str, expected: str) -> None:
    written = [(kind, text.strip()) for kind, text in colours(code, language)]
    wanted = re.findall(r"(?:^| )(\w{1,2}):((?:.|\n)*?)(?= \w{1,2}:|$)", expected)
    assert written == [(kind, text.strip()) for kind, text in wanted]


@pytest.mark.parametrize("info", ["", "klingon", "python3.99", "pythonx", "mention", "<b>"])
def test_a_language_is_never_guessed(info: str) -> None:
    shown = render(f"```{info}\ndef f(): pass\n```").html
    assert shown == "<pre><code>def f(): pass\n</code></pre>"


def test_the_page_learns_the_language() -> None:
    shown = render("```PY {1,2}\nx\n```").html
    assert shown == ('<pre data-language="Python"><code class="language-python">x\n</code></pre>')


@pytest.mark.parametrize("name", ALL)
def test_the_names_are_safe_in_html(name: str) -> None:
    assert re.fullmatch("[a-z]+", name)
    assert re.fullmatch(r"[\w +#.]+", LANGUAGES[name].name)
    assert set(LANGUAGES[name].kinds) <= CLASSES | {"w"}
    # One group an alternative: the scanner counts on it.
    assert LANGUAGES[name].pattern.groups == len(LANGUAGES[name].kinds)


CHARACTERS = st.sampled_from(
    [*"\"'`/*<>-#${}()[]\\\n\t :=@%!?.,;+aA_1é", '"""', "/*", "*/", "<!--"]
)


@given(st.sampled_from(ALL), st.lists(CHARACTERS, max_size=80).map("".join))
def test_no_character_is_lost_or_moved(name: str, code: str) -> None:
    language = LANGUAGES[name]
    assert "".join(text for _, text in scan(language, code)) == code
    shown = highlight(code, language, Spans())
    assert html.unescape(re.sub(r"</?span[^>]*>", "", shown)) == code
    assert set(re.findall(r'<span class="(\w+)">', shown)) <= CLASSES


def test_code_beyond_the_budget_is_plain() -> None:
    python = language_of("python")
    assert python is not None
    left = Spans()
    assert "<span" in highlight("if " * 10, python, left)
    assert "<span" not in highlight("if " * CODE, python, left)
    assert highlight("1,2," * 2_400, python, Spans()).count("<span") == SPANS


# Openings that are never closed, escapes that escape nothing, words that almost are keys.
TRAPS = (
    *('"', "'", "`", '"""', "'''", "/*", "<!--", "<a b=", "{-", "--[[", "${", "$(", "[[", 'r#"'),
    *(
        "'\\",
        '"\\',
        "\\\n",
        "\n ",
        " \n",
        "\t",
        "a ",
        "_",
        "a.b",
        "a-",
        "\na: ",
        "=begin\n",
        "<#",
        "é",
    ),
)


@pytest.mark.parametrize("name", ALL)
def test_the_end_of_a_trap_is_reached(name: str) -> None:
    """A pattern that tries every way to divide a text would not end before the sun does;
    `benchmarks/rendering.py` measures those that merely are slow."""
    for trap in TRAPS:
        code = trap * (1_000 // len(trap))
        assert sum(len(text) for _, text in scan(LANGUAGES[name], code)) == len(code)


CSS = Path(__file__).parents[2] / "src/tertulia/chat/static/tertulia/css"


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_the_colours_can_be_read_on_the_ground_of_code(mode: int) -> None:
    def tokens(file: str) -> dict[str, str]:
        pairs = re.findall(
            r"--([\w-]+): light-dark\((#[\da-f]{6}), (#[\da-f]{6})\);", (CSS / file).read_text()
        )
        return {name: colours[mode] for name, *colours in pairs}

    ground = _light(tokens("tokens.css")["surface-sunken"])
    colours = {name: c for name, c in tokens("code.css").items() if name.startswith("code-")}
    assert len(colours) == 9
    for name, colour in colours.items():
        high, low = max(_light(colour), ground), min(_light(colour), ground)
        assert (high + 0.05) / (low + 0.05) >= 4.5, name


def _light(colour: str) -> float:
    """Relative luminance by WCAG 2, from 0 to 1."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
