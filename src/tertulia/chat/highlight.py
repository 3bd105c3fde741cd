"""Colours for code: a scanner that takes linear time, whatever the code is.

Each language is one regular expression whose alternatives, once they have begun, cannot fail:
a string that is never closed ends with its line, a comment that is never closed ends with the
code. So no character is looked at more than a few times. General highlighters promise no such
thing: their grammars take seconds, some of them hours, for ten thousand well-chosen characters.
"""

from __future__ import annotations

from collections.abc import Iterator

from markdown_it.common.utils import escapeHtml

from .languages import LANGUAGES, Language

# Characters and coloured spans of one message; what lies beyond them is plain.
CODE = 10_000
SPANS = 3_000


class Spans:
    """What is left of both to one message."""

    def __init__(self) -> None:
        self.characters = CODE
        self.spans = SPANS


def language_of(info: str) -> Language | None:
    """The language that the first word after a fence names; nothing is ever guessed."""
    word = info.split(maxsplit=1)[:1]
    return LANGUAGES.get(word[0].strip("{.}").lower()) if word else None


def highlight(code: str, language: Language, left: Spans) -> str:
    """HTML for the inside of `<code>`; `left` is counted down."""
    left.characters -= len(code)
    if left.characters < 0:
        return escapeHtml(code)
    parts: list[str] = []
    for kind, text in _joined(language, code):
        if kind and left.spans > 0:
            left.spans -= 1
            parts.append(f'<span class="{kind}">{escapeHtml(text)}</span>')
        else:
            parts.append(escapeHtml(text))
    return "".join(parts)


def scan(language: Language, code: str) -> Iterator[tuple[str, str]]:
    """(class, text) from the beginning to the end; the class is empty for what stays plain."""
    done = 0
    for found in language.pattern.finditer(code):
        start, end = found.span()
        if start == end:
            continue
        assert found.lastindex is not None  # each alternative is one group
        kind = language.kinds[found.lastindex - 1]
        if kind == "w":
            kind = language.kind_of(found[0], code[end : end + 1])
        if start > done:
            yield "", code[done:start]
        yield kind, found[0]
        done = end
    if done < len(code):
        yield "", code[done:]


def _joined(language: Language, code: str) -> Iterator[tuple[str, str]]:
    """Neighbours of one class as one span, white space between them included."""
    held, text, space = "", "", ""
    for kind, piece in scan(language, code):
        if kind == held:
            text, space = text + space + piece, ""
        elif not kind and piece.isspace() and not space:
            space = piece
        else:
            yield held, text
            yield "", space
            held, text, space = kind, piece, ""
    yield held, text
    yield "", space
