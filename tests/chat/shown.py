"""What a message's HTML may hold, checked with Python's own parser."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from tertulia.chat.languages import CLASSES

PLAIN = "p br em strong s hr li thead tbody tr th td h1 h2 h3 h4 h5 h6"
ALLOWED = {
    **{tag: set[str]() for tag in PLAIN.split()},
    **{tag: {"dir"} for tag in ("ul", "blockquote", "table")},
    "ol": {"start", "dir"},
    "a": {"href", "target", "rel"},
    "span": {"class", "data-id"},
    "pre": {"data-language"},
    "code": {"class"},
}
VOID = {"br", "hr"}


class Shown(HTMLParser):
    """Fails on anything that no message may hold, and on tags that do not close one another."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.mentioned: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED, tag
        have = dict(attrs)
        assert len(have) == len(attrs)
        assert set(have) <= ALLOWED[tag], (tag, have)
        if tag == "a":
            assert have["rel"] == "noopener nofollow ugc"
            assert have["target"] == "_blank"
            assert re.match("https?://[^/]|mailto:.", have["href"] or "", re.I), have
            self.addresses.append(have["href"] or "")
        if tag == "span":
            assert have["class"] in CLASSES or (have["class"] == "mention" and "data-id" in have)
            if "data-id" in have:
                self.mentioned.append(have["data-id"] or "")
        if tag == "code" and "class" in have:
            assert re.fullmatch("language-[a-z]+", have["class"] or "")
        if have.get("dir", "auto") != "auto":
            raise AssertionError(have)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag not in VOID
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    handle_decl = handle_pi = unknown_decl = handle_comment
