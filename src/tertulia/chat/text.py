"""Text to HTML: Markdown, sanitised, rendered once when it is written.

Text without any markup takes a short way that gives the same HTML.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple

import nh3
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from .languages import CLASSES, LANGUAGES
from .markup import Budget, as_written, make_markdown, split
from .naming import MARKS, readings

# Kept with each message, so that old ones can be told apart when the rules change.
RENDERER = 2

# Anything that Markdown, the link finder or a mention might take for more than text: signs,
# the beginnings of addresses, and how a line begins. Asked apart, since looking for a sign is
# several times faster than looking for alternatives, and most texts have one line and no sign.
_SIGN = re.compile(r"[*_`~\[\]<>&|\\@]")
_LINE = re.compile(r"^\s*(?:[-+=#]|\d+[.)])|^\s\s|\n\s*\n", re.MULTILINE)
_TAGS = {
    *("p", "br", "em", "strong", "s", "code", "pre", "blockquote", "a", "span", "hr"),
    *("ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {
    "*": set(),  # without it a title would be allowed everywhere
    "a": {"href"},
    "span": {"data-id"},
    "pre": {"data-language"},
    "ol": {"start", "dir"},
    **{tag: {"dir"} for tag in ("ul", "blockquote", "table")},
}
# No message can borrow a class of the page.
_CLASSES = {
    "span": {"mention", *CLASSES},
    "code": {f"language-{language.id}" for language in LANGUAGES.values()},
}


class Named(NamedTuple):
    """Somebody who can be mentioned: his public id and primary key."""

    public_id: str
    id: int


class Rendered(NamedTuple):
    """HTML, and whom the text mentions, each once, in the order of the text."""

    html: str
    mentions: list[Named]


# Letters and symbols that show nothing: the Hangul fillers and the empty Braille pattern.
_EMPTY = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def is_blank(text: str) -> bool:
    """Whether nothing of it can be seen: white space, controls, joiners and fillers only."""
    first = text[:1]
    if first.isascii() and first.isalnum():
        return False
    return all(unicodedata.category(char)[0] in "ZC" or char in _EMPTY for char in text)


def is_encodable(text: str) -> bool:
    """Whether it is valid Unicode: without lone surrogates."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_plain(text: str) -> bool:
    """Whether there is no markup in it."""
    if _SIGN.search(text) or "://" in text or "mailto:" in text:
        return False
    return not (_LINE.search(text) if "\n" in text else _LINE.match(text))


def render(text: str, names: Mapping[str, Named] | None = None) -> Rendered:
    """Markdown to sanitised HTML. `names`: folded name → who may be mentioned here."""
    if _is_plain(text):
        lines = [line.strip() for line in text.strip().split("\n")]
        return Rendered("<p>" + "<br>\n".join(lines) + "</p>", [])
    return _long_way(text, names or {})


def _long_way(text: str, names: Mapping[str, Named]) -> Rendered:
    env: dict[str, Any] = {"names": names, "mentions": {}, "marks": MARKS, "budget": Budget()}
    parsed, rest = split(text)
    html = _markdown.render(parsed, env)
    if rest.strip():
        html += f"<p>{as_written(rest)}</p>"
    html = nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        allowed_classes=_CLASSES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener nofollow ugc",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return Rendered(html.strip(), list(env["mentions"].values()))


def _mention(state: StateInline, silent: bool) -> bool:
    """Inline rule: @name of somebody in the room."""
    if state.src[state.pos] != "@" or not state.env["names"]:
        return False
    if state.pos > 0 and (state.src[state.pos - 1].isalnum() or state.src[state.pos - 1] in "_@"):
        return False
    # Folding is dear, and a text may be nothing but names.
    state.env["marks"] -= 1
    if state.env["marks"] < 0:
        return False
    for reading, written in readings(state.src, state.pos, state.posMax):
        named = state.env["names"].get(reading)
        if named is None:
            continue
        if not silent:
            token = state.push("mention", "", 0)
            token.content = "@" + written
            token.meta = {"id": named.public_id}
            state.env["mentions"][named.public_id] = named
        state.pos += 1 + len(written)
        return True
    return False


def _render_mention(
    renderer: RendererHTML, tokens: list[Token], index: int, options: Any, env: Any
) -> str:
    token = tokens[index]
    content = nh3.clean_text(token.content)
    return f'<span class="mention" data-id="{token.meta["id"]}">{content}</span>'


_markdown = make_markdown()
_markdown.inline.ruler.before("link", "mention", _mention)
_markdown.add_render_rule("mention", _render_mention)
