"""What a site's page loads for the widget: little at first, and all of the rest is announced."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from pathlib import Path

import pytest

import tertulia.chat
import tertulia.support
from tertulia.project.lean import without_comments
from tertulia.testing.server import Server
from tests.support.browser import Browser
from tests.support.desk import Inbox

# The promise is 15 kB; a third of it is enough.
BEFORE_OPENING = 5_000
TO_TALK = 53_000
_CHAT = Path(tertulia.chat.__file__).parent / "static"
_OURS = Path(tertulia.support.__file__).parent / "static"
_IMPORT = re.compile(r'^(?:import|export)\s[^;]*?from\s+"([^"]+)"|^import\s+"([^"]+)"', re.M)
_NAMES = {
    "#lit-html": "tertulia/vendor/lit-html.js",
    "#signals": "tertulia/vendor/signals-core.js",
    "#sdk": "tertulia/sdk/index.js",
}


def read(name: str) -> str:
    folder = _OURS if name.startswith("tertulia_support/") else _CHAT
    return (folder / name).read_text("utf-8")


def target(module: str, name: str) -> str:
    if name in _NAMES:
        return _NAMES[name]
    if name.startswith("#"):
        return f"tertulia/{name[1:]}"
    parts = [*module.split("/")[:-1], *name.split("/")]
    path: list[str] = []
    for part in parts:
        if part == "..":
            path.pop()
        elif part != ".":
            path.append(part)
    return "/".join(path)


def imported_from(start: str) -> set[str]:
    """The modules that a module needs before it runs, itself among them."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            names = (next(filter(None, names)) for names in _IMPORT.findall(read(module)))
            waiting += [target(module, name) for name in names]
    return found


def test_before_it_is_opened_it_is_little(embedded: Server) -> None:
    answer = Browser(embedded.url).get("/widget.js", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert len(answer.body) < BEFORE_OPENING
    script = gzip.decompress(answer.body).decode()
    # Nothing comes with it.
    assert not _IMPORT.findall(script)
    assert "import(" not in script


def test_what_is_known_is_not_sent_again(embedded: Server) -> None:
    browser = Browser(embedded.url)
    first = browser.get("/widget.js", headers={"Accept-Encoding": "gzip"})
    known = {"If-None-Match": first.headers["etag"], "Accept-Encoding": "gzip"}
    again = browser.get("/widget.js", headers=known)
    assert (again.status, again.body) == (304, b"")
    assert again.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("language", ["en", "es"])
def test_all_that_is_imported_is_announced_and_it_is_little(inbox: Inbox, language: str) -> None:
    browser = Browser(inbox.server.url)
    page = browser.get(f"{inbox.path}?lang={language}").text
    announced = set(re.findall(r'<link rel="modulepreload" href="/static/([^"]+)">', page))
    main = "tertulia_support/widget/main.js"
    strings = {name for name in announced if "/strings/" in name}
    assert strings == {f"tertulia_support/widget/strings/{language}.js"}
    assert {main, *announced} - strings == imported_from(main)
    packed = {"Accept-Encoding": "gzip"}
    styles = set(re.findall(r'<link rel="stylesheet" href="/static/([^"]+)">', page))
    sizes = {
        name: len(browser.get(f"/static/{name}", headers=packed).body)
        for name in {main, *announced, *styles}
    }
    assert sum(sizes.values()) <= TO_TALK, sizes


COMPARE = """
const { tokenizer } = require("internal/deps/acorn/acorn/dist/acorn");
const words = (text) =>
    [...tokenizer(text, { ecmaVersion: "latest", sourceType: "module" })].map(
        ({ type, value }) => JSON.stringify([type.label, value?.pattern ?? value, value?.flags]));
const [source, lean] = JSON.parse(require("fs").readFileSync(0, "utf8")).map(words);
console.log(JSON.stringify(source) === JSON.stringify(lean) ? "same" : "different");
"""


def test_without_their_comments_the_modules_are_the_same_programs() -> None:
    for path in sorted(_OURS.rglob("*.js")):
        source = path.read_text("utf-8")
        done = subprocess.run(
            ["node", "--expose-internals", "-e", COMPARE],
            input=json.dumps([source, without_comments(source)]),
            text=True,
            capture_output=True,
            check=True,
        )
        assert done.stdout.strip() == "same", path


def test_both_languages_say_the_same_things() -> None:
    keys = [
        re.findall(r'^  "?([\w.]+)"?: ', read(f"tertulia_support/widget/strings/{code}.js"), re.M)
        for code in ("en", "es")
    ]
    assert keys[0] == keys[1]
    used = {
        key
        for path in (_OURS / "tertulia_support" / "widget").glob("*.js")
        for key in re.findall(r'\bt\("([\w.]+)"', path.read_text("utf-8"))
    }
    assert used <= set(keys[0])
