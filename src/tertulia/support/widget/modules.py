"""What the page in the frame loads: its import map, and the modules it is told of beforehand."""

from __future__ import annotations

from urllib.parse import urljoin

from django.templatetags.static import static

MAIN = "tertulia_support/widget/main.js"

# Everything that `main.js` imports, directly or not, under the names by which it is imported.
# `tests/support_widget/test_weight.py` keeps the list complete, and small.
FIRST_LOAD = (
    "app.js",
    "bubble.js",
    "composer.js",
    "connection.js",
    "conversation.js",
    "email.js",
    "entries.js",
    "header.js",
    "host.js",
    "log.js",
    "panel.js",
    "presence.js",
    "rating.js",
    "said.js",
    "session.js",
    "store.js",
)
FROM_PAGE = (
    "announcer.js",
    "dom.js",
    "drafts.js",
    "element.js",
    "format.js",
    "i18n.js",
    "icons.js",
    "live.js",
    "people.js",
    "typing.js",
    "world.js",
)
FROM_SDK = (
    "connection.js",
    "database.js",
    "emitter.js",
    "errors.js",
    "item.js",
    "keys.js",
    "log.js",
    "open.js",
    "outbox.js",
    "room.js",
    "rooms.js",
    "store.js",
    "tabs.js",
    "types.js",
    "window.js",
)


def import_map() -> dict[str, dict[str, str]]:
    """The modules of the chat, by the names that the widget's have for them."""
    return {
        "imports": {
            "#lit-html": static("tertulia/vendor/lit-html.js"),
            "#signals": static("tertulia/vendor/signals-core.js"),
            "#sdk": static("tertulia/sdk/index.js"),
            # A folder: a storage that gives names to copies of files has none for it.
            "#page/": urljoin(static("tertulia/page/main.js"), "./"),
            "#sdk/": urljoin(static("tertulia/sdk/index.js"), "./"),
        }
    }


def preloads(language: str) -> list[str]:
    """Addresses of all modules of the first load but `main.js`."""
    imports, main = import_map()["imports"], static(MAIN)
    beside = (*FIRST_LOAD, f"strings/{language}.js")
    return [
        *(imports[name] for name in ("#lit-html", "#signals", "#sdk")),
        *(urljoin(main, path) for path in beside),
        *(imports["#page/"] + path for path in FROM_PAGE),
        *(imports["#sdk/"] + path for path in FROM_SDK),
    ]
