"""Markdown as messages have it, in bounded time.

A Markdown parser spends microseconds on each mark, and a text may be nothing but marks. So a
message has a budget: what lies beyond it is shown as it was written. The figures leave room for
anything that a person would write; `benchmarks/rendering.py` measures the worst that they let in.
"""

from __future__ import annotations

import re
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from .highlight import Spans, highlight, language_of

# What one message may hold before the rest of it is shown as it was written.
LINES = 1_000
BLOCKS = 800
MARKS = 1_500
CELLS = 1_500
# Levels of lists and quotations; the parser would leave out what is deeper than 20.
DEPTH = 16

# What an inline rule stops at: runs of emphasis and code are one mark, all others one each.
_MARKS = re.compile(r"[*_~`]+|[\[\]<&\\@:\n]")
_ADDRESS = re.compile(r"//[^\W_][^\s<>\"]*")
_MAILBOX = re.compile(r"[^\s<>\"@:]{1,64}@[^\s<>\"@:]{1,255}")
_SAFE = re.compile(r"https?://[^/]|mailto:.", re.IGNORECASE)
_SCHEME = re.compile(r"(?<![\w.+\-])(https?|mailto)\Z", re.IGNORECASE)
# A closing bracket belongs to the sentence unless its partner is in the address.
_PARTNERS = {")": "(", "]": "[", "}": "{"}
_SENTENCE = frozenset(".,;:!?'*_~…»”’")


class Budget:
    """What is left to one message."""

    def __init__(self) -> None:
        self.blocks = BLOCKS
        self.marks = MARKS
        self.cells = CELLS
        self.spans = Spans()


class _Markdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:
        """Whether a link may lead there: anything else, relative addresses too, stays text."""
        return _SAFE.match(url) is not None


def make_markdown() -> MarkdownIt:
    """A parser whose `env` holds a `Budget` as `budget`."""
    markdown = _Markdown("commonmark", {"html": False, "breaks": True})
    markdown.enable(["strikethrough", "table"])
    # A picture would tell its server who reads; setext headings are made by accident.
    markdown.disable(["image", "lheading", "html_block", "html_inline", "reference"])
    markdown.core.ruler.at("inline", _inline)
    markdown.block.ruler.before("table", "rest", _rest)
    markdown.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
    markdown.inline.ruler.after("text", "address", _address)
    markdown.add_render_rule("fence", _code)
    markdown.add_render_rule("code_block", _code)
    markdown.add_render_rule("plain", _plain)
    for kind in ("bullet_list_open", "ordered_list_open", "blockquote_open", "table_open"):
        markdown.add_render_rule(kind, _directed)
    return markdown


def split(text: str) -> tuple[str, str]:
    """The lines that are parsed, and those beyond the budget."""
    end = -1
    for _ in range(LINES):
        end = text.find("\n", end + 1)
        if end < 0:
            return text, ""
    return text[:end], text[end + 1 :]


def as_written(text: str) -> str:
    """HTML that shows the text and nothing else."""
    return escapeHtml(text.strip()).replace("\n", "<br>\n")


# Blocks


def _rest(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Block rule: with the budget spent, or too deep inside, all that is left is one paragraph."""
    if silent:
        return False
    budget = state.env["budget"]
    budget.blocks -= 1
    if budget.blocks >= 0 and state.level <= DEPTH:
        return False
    state.push("paragraph_open", "p", 1)
    token = state.push("plain", "", 0)
    token.content = state.getLines(start, end, state.blkIndent, False)
    state.push("paragraph_close", "p", -1)
    state.line = end
    return True


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Block rule: a table, unless it would have too many cells. Short rows are filled up, so a
    few thousand characters could else become half a million."""
    if not table(state, start, end, True):
        return False
    budget = state.env["budget"]
    columns = state.src.count("|", state.bMarks[start], state.eMarks[start]) + 1
    cells, line = 0, start
    while line < end and not state.isEmpty(line):
        cells += columns
        if cells > budget.cells:
            return False
        line += 1
    if not silent:
        budget.cells -= cells
        table(state, start, end, False)
    return True


# Within a block


def _inline(state: StateCore) -> None:
    """Core rule: parse what stands in the blocks, as far as the budget goes."""
    budget = state.env["budget"]
    for token in state.tokens:
        if token.type != "inline":
            continue
        marks = sum(1 for _ in _MARKS.finditer(token.content))
        token.children = []
        if marks <= budget.marks:
            budget.marks -= marks
            state.md.inline.parse(token.content, state.md, state.env, token.children)
        else:
            token.children.append(Token("plain", "", 0, content=token.content))


def _address(state: StateInline, silent: bool) -> bool:
    """Inline rule: https://… and mailto:… become links, without the sentence's punctuation."""
    if state.src[state.pos] != ":" or state.linkLevel > 0:
        return False
    scheme = _SCHEME.search(state.pending, max(0, len(state.pending) - 12))
    if scheme is None:
        return False
    rest = _MAILBOX if scheme[1].lower() == "mailto" else _ADDRESS
    found = rest.match(state.src, state.pos + 1, state.posMax)
    if found is None:
        return False
    written = _without_punctuation(found[0])
    href = state.md.normalizeLink(f"{scheme[1]}:{written}")
    if not state.md.validateLink(href):
        return False
    if not silent:
        state.pending = state.pending[: scheme.start(1)]
        state.push("link_open", "a", 1).attrs = {"href": href}
        state.push("text", "", 0).content = f"{scheme[1]}:{written}"
        state.push("link_close", "a", -1)
    state.pos += 1 + len(written)
    return True


def _without_punctuation(address: str) -> str:
    """The address without what ends the sentence or the bracket around it."""
    end = len(address)
    surplus = {
        close: address.count(close) - address.count(open_) for close, open_ in _PARTNERS.items()
    }
    while end > 0:
        last = address[end - 1]
        if surplus.get(last, 0) > 0:
            surplus[last] -= 1
        elif last not in _SENTENCE:
            break
        end -= 1
    return address[:end]


# HTML


def _code(renderer: RendererHTML, tokens: list[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    language = language_of(token.info)
    if language is None:
        return f"<pre><code>{escapeHtml(token.content)}</code></pre>\n"
    inside = highlight(token.content, language, env["budget"].spans)
    return (
        f'<pre data-language="{language.name}"><code class="language-{language.id}">'
        f"{inside}</code></pre>\n"
    )


def _plain(renderer: RendererHTML, tokens: list[Token], index: int, options: Any, env: Any) -> str:
    return as_written(tokens[index].content)


def _directed(
    renderer: RendererHTML, tokens: list[Token], index: int, options: Any, env: Any
) -> str:
    """Where markers, rules and columns stand follows the direction of the block's own text. A
    paragraph needs no attribute: the style sheet has it follow its first letter."""
    tokens[index].attrSet("dir", "auto")
    return renderer.renderToken(tokens, index, options, env)
