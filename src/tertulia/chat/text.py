"""Text to HTML: Markdown, sanitised, rendered once when it is written.

Text without any markup takes a short way that gives the same HTML.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from .slugs import fold

# Kept with each message, so that old ones can be told apart when the rules change.
RENDERER = 1

# Anything that Markdown, the link finder or a mention might take for more than text.
_MARKUP = re.compile(
    r"[*_`~\[\]<>&|\\@]|://|mailto:|\n\s*\n|^\s*(?:[-+=#]|\d+[.)])|^\s\s", re.MULTILINE
)
_LINK = re.compile("://|mailto:")
_NAME = re.compile(r"@([\w.+\-]{1,150})")
_TAGS = {
    *("p", "br", "em", "strong", "s", "code", "pre", "blockquote", "a", "span", "hr"),
    *("ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {"a": {"href"}, "span": {"class", "data-id"}, "ol": {"start"}, "code": {"class"}}


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
    return all(unicodedata.category(char)[0] in "ZC" or char in _EMPTY for char in text)


def candidates(text: str) -> set[str]:
    """Folded names after an @, which may or may not be somebody's."""
    names: set[str] = set()
    if "@" in text:
        for found in _NAME.findall(text):
            names.update(_readings(found))
    return names


def render(text: str, names: Mapping[str, Named] | None = None) -> Rendered:
    """Markdown to sanitised HTML. `names`: folded name → who may be mentioned here."""
    if not _MARKUP.search(text):
        lines = [line.strip() for line in text.strip().split("\n")]
        return Rendered("<p>" + "<br>\n".join(lines) + "</p>", [])
    env: dict[str, Any] = {"names": names or {}, "mentions": {}}
    html = nh3.clean(
        (_linking if _LINK.search(text) else _markdown).render(text, env),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener nofollow ugc",
    )
    return Rendered(html.strip(), list(env["mentions"].values()))


def _readings(name: str) -> list[str]:
    """`ana.` at the end of a sentence is `ana.` or `ana`."""
    readings = [fold(name)]
    shorter = name.rstrip(".+-")
    if shorter and shorter != name:
        readings.append(fold(shorter))
    return readings


def _mention(state: StateInline, silent: bool) -> bool:
    """Inline rule: @name of somebody in the room."""
    if state.src[state.pos] != "@":
        return False
    if state.pos > 0 and (state.src[state.pos - 1].isalnum() or state.src[state.pos - 1] in "_@"):
        return False
    found = _NAME.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    for reading, written in zip(
        _readings(found.group(1)), (found.group(1), found.group(1).rstrip(".+-")), strict=False
    ):
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


def _make_markdown(*, linkify: bool) -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "breaks": True, "linkify": linkify})
    markdown.enable(["strikethrough", "table"])
    if linkify:
        # A tenth of the whole: only for texts that hold something like a link.
        markdown.enable("linkify")
    # A picture would tell its server who reads; setext headings are made by accident.
    markdown.disable(["image", "lheading", "html_block", "html_inline", "reference"])
    markdown.inline.ruler.before("link", "mention", _mention)
    markdown.add_render_rule("mention", _render_mention)
    if markdown.linkify is not None:
        markdown.linkify.set({"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})
    return markdown


_markdown = _make_markdown(linkify=False)
_linking = _make_markdown(linkify=True)
