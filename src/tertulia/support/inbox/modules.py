"""What the agents' page loads: its import map, style sheets, and the modules it is told of."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from urllib.parse import urljoin

from django.contrib.staticfiles.finders import find
from django.templatetags.static import static

MAIN = "tertulia_support/inbox/main.js"
STYLES = (
    "tertulia_support/inbox/css/inbox.css",
    "tertulia_support/inbox/css/conversation.css",
    "tertulia_support/inbox/css/visitor.css",
)
_LANGUAGES = ("en", "es")
# The names by which modules call what is not beside them: a file, or a folder of the chat's. A
# storage that gives names to copies of files has none for a folder.
_FILES = {
    "#lit-html": "tertulia/vendor/lit-html.js",
    "#signals": "tertulia/vendor/signals-core.js",
    "#sdk": "tertulia/sdk/index.js",
}
_FOLDERS = {"#page/": "tertulia/page/main.js", "#sdk/": "tertulia/sdk/index.js"}
_IMPORT = re.compile(
    r'^(?:import|export)\s[^;]*?from\s+"([^"]+)"|^import\s+"([^"]+)"', re.MULTILINE
)


def import_map() -> dict[str, dict[str, str]]:
    """The chat's modules, by the names that this page has for them."""
    files = {name: static(path) for name, path in _FILES.items()}
    folders = {name: urljoin(static(path), "./") for name, path in _FOLDERS.items()}
    return {"imports": files | folders}


def preloads(language: str) -> list[str]:
    """Addresses of all modules of the first load but `main.js`, under which they are imported."""
    spoken = language.partition("-")[0]
    strings = f"strings/{spoken if spoken in _LANGUAGES else _LANGUAGES[0]}.js"
    names = [*_modules(), f"tertulia_support/inbox/{strings}", f"tertulia/page/{strings}"]
    return [_address(name) for name in names]


def _address(name: str) -> str:
    named = {path: address for address, path in _FILES.items()}
    if name in named:
        return static(name)
    # Relative to what the map names, whatever a storage calls copies of the file.
    for folder, file in (*_FOLDERS.items(), ("", MAIN)):
        beside = file.rpartition("/")[0] + "/"
        if folder and name.startswith(beside):
            return urljoin(static(file), "./") + name.removeprefix(beside)
    return urljoin(static(MAIN), "./") + name.removeprefix(MAIN.rpartition("/")[0] + "/")


@cache
def _modules() -> tuple[str, ...]:
    """What `main.js` imports, directly or not, found by reading the modules once."""
    found: dict[str, None] = {}
    waiting = [MAIN]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = None
        path = find(name)
        source = Path(path).read_text("utf-8") if isinstance(path, str) else ""
        imported = (next(filter(None, names)) for names in _IMPORT.findall(source))
        waiting += [_target(name, each) for each in imported]
    found.pop(MAIN)
    return tuple(sorted(found))


def _target(importer: str, imported: str) -> str:
    """The file that an import in a module means."""
    if imported in _FILES:
        return _FILES[imported]
    for folder, file in _FOLDERS.items():
        if imported.startswith(folder):
            return file.rpartition("/")[0] + "/" + imported.removeprefix(folder)
    return urljoin(f"/{importer}", imported).removeprefix("/")
