"""What a browser loads before somebody can talk: all of it is announced, and it is little."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

import tertulia.chat
from tertulia.project.lean import without_comments
from tertulia.testing.server import Server
from tests.support.browser import Browser

ROOM_TO_TALK = 60_000
_STATIC = Path(tertulia.chat.__file__).parent / "static" / "tertulia"
_IMPORT = re.compile(r'^(?:import|export)\s[^;]*?from\s+"([^"]+)"|^import\s+"([^"]+)"', re.M)
_NAMES = {
    "#lit-html": "vendor/lit-html.js",
    "#signals": "vendor/signals-core.js",
    "#sdk": "sdk/index.js",
}


def imported_from(start: str) -> set[str]:
    """The modules that a module needs before it runs, itself among them."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        module = waiting.pop()
        if module in found:
            continue
        found.add(module)
        path = _STATIC / module
        for names in _IMPORT.findall(path.read_text("utf-8")):
            name = next(filter(None, names))
            target = _STATIC / _NAMES[name] if name in _NAMES else (path.parent / name).resolve()
            waiting.append(str(target.relative_to(_STATIC)))
    return found


@pytest.fixture(params=["en", "es"])
def announced(request: pytest.FixtureRequest, playground: Server) -> dict[str, bytes]:
    """Module to the bytes in which it is sent, for each that home's `<head>` names."""
    browser = Browser(playground.url)
    page = browser.get("/chat/", headers={"Accept-Language": request.param}).text
    links = r'<link rel="modulepreload" href="/static/tertulia/([^"]+)">'
    names = [*re.findall(links, page), "page/main.js"]
    packed = {"Accept-Encoding": "gzip"}
    return {name: browser.get(f"/static/tertulia/{name}", headers=packed).body for name in names}


def test_all_that_is_imported_is_announced_and_nothing_else(announced: dict[str, bytes]) -> None:
    strings = {name for name in announced if name.startswith("page/strings/")}
    assert len(strings) == 1
    assert set(announced) - strings == imported_from("page/main.js")


def test_it_is_little(announced: dict[str, bytes]) -> None:
    sizes = {name: len(content) for name, content in announced.items()}
    assert sum(sizes.values()) <= ROOM_TO_TALK, sizes


# The words of two programs, as the parser in Node reads them: the first at which they differ.
COMPARE = """
const { tokenizer } = require("internal/deps/acorn/acorn/dist/acorn");
const words = (text) =>
    [...tokenizer(text, { ecmaVersion: "latest", sourceType: "module" })].map(
        ({ type, value }) => JSON.stringify([type.label, value?.pattern ?? value, value?.flags]));
const [source, lean] = JSON.parse(require("fs").readFileSync(0, "utf8")).map(words);
const differs = source.findIndex((word, i) => word !== lean[i]);
console.log(differs < 0 && source.length === lean.length ? "same" : source[differs]);
"""


def compared(source: str, lean: str) -> str:
    """`same`, where two programs have the same words, with all that is in strings."""
    done = subprocess.run(
        ["node", "--expose-internals", "-e", COMPARE],
        input=json.dumps([source, lean]),
        text=True,
        capture_output=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.parametrize("folder", ["page", "sdk"])
def test_without_their_comments_the_modules_are_the_same_programs(folder: str) -> None:
    sources = {path: path.read_text("utf-8") for path in sorted((_STATIC / folder).rglob("*.js"))}
    for path, source in sources.items():
        lean = without_comments(source)
        assert lean.count("\n") == source.count("\n"), path
        assert without_comments(lean) == lean
    # A module's last statement ends, so all of them are a program as well.
    together = "\n".join(sources.values())
    assert compared(together, without_comments(together)) == "same"


@pytest.mark.parametrize("text", ['"a /** b */"', "`\n// c\n`", r"/\/\*\* d \*\//"])
def test_what_looks_like_a_comment_and_is_none_would_be_found(text: str) -> None:
    source = f"const text = {text};\n"
    lean = without_comments(source)
    assert (compared(source, lean) == "same") == (lean == source)
