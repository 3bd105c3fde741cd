"""`{% load tertulia %}`: what a page says of its colours, and the shell of its modules."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urljoin

from django import template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from ..profile.appearance import SURFACE, THEMES, theme_of

register = template.Library()

# The names by which the modules call what is not beside them; `package.json` of the static
# folder has the same for Node.
MODULES = {
    "#lit-html": "tertulia/vendor/lit-html.js",
    "#signals": "tertulia/vendor/signals-core.js",
    "#sdk": "tertulia/sdk/index.js",
}

# Everything else that `page/main.js` imports, directly or not, from the folder that it is in. The
# browser is told of all of it at once; without that it would find one level after the other.
# `tests/project/test_page_weight.py` keeps the list complete, and small.
FIRST_LOAD = (
    "ahead.js",
    "announcer.js",
    "app.js",
    "composer.js",
    "dom.js",
    "drafts.js",
    "element.js",
    "entries.js",
    "focus.js",
    "format.js",
    "frame.js",
    "home.js",
    "i18n.js",
    "icons.js",
    "links.js",
    "live.js",
    "log-keys.js",
    "message.js",
    "notices.js",
    "order.js",
    "people.js",
    "quotes.js",
    "reading.js",
    "receipts.js",
    "recent.js",
    "room-part.js",
    "room-view.js",
    "router.js",
    "shortcuts.js",
    "sidebar.js",
    "status.js",
    "timeline.js",
    "tools.js",
    "typing.js",
    "world.js",
    "../sdk/connection.js",
    "../sdk/database.js",
    "../sdk/emitter.js",
    "../sdk/errors.js",
    "../sdk/item.js",
    "../sdk/keys.js",
    "../sdk/log.js",
    "../sdk/open.js",
    "../sdk/outbox.js",
    "../sdk/room.js",
    "../sdk/rooms.js",
    "../sdk/store.js",
    "../sdk/tabs.js",
    "../sdk/types.js",
    "../sdk/window.js",
)
LANGUAGES = ("en", "es")


def _theme(context: template.Context) -> str:
    # Pages about a fault are made without a request.
    return theme_of(getattr(context, "request", None) or context.get("request"))


@register.simple_tag(takes_context=True)
def data_theme(context: template.Context) -> SafeString | str:
    """The attribute of the root element, where somebody has chosen light or dark."""
    theme = _theme(context)
    return format_html(' data-theme="{}"', theme) if theme else ""


@register.simple_tag(takes_context=True)
def theme_colours(context: template.Context) -> SafeString:
    """What the browser draws around the page: its bars, its fields, the first blank screen."""
    theme = _theme(context)
    scheme = format_html('<meta name="color-scheme" content="{}">', theme or "light dark")
    if theme:
        return format_html('{}\n  <meta name="theme-color" content="{}">', scheme, SURFACE[theme])
    colours = format_html_join(
        "",
        '\n  <meta name="theme-color" content="{}" media="(prefers-color-scheme: {})">',
        ((SURFACE[each], each) for each in THEMES),
    )
    return scheme + colours


@register.simple_tag(takes_context=True)
def import_map(context: dict[str, Any]) -> SafeString:
    """The page's import map and the modules that it begins with.

    The map has the nonce of the response's content security policy: a script in the page is the
    only form that browsers take, so a policy without `unsafe-inline` needs it; Django 6,
    django-csp and the ready-made site put it into `request.csp_nonce` or the context.
    """
    imports = {name: static(path) for name, path in MODULES.items()}
    nonce = context.get("csp_nonce") or getattr(context.get("request"), "csp_nonce", "")
    attribute = format_html(' nonce="{}"', nonce) if nonce else ""
    # No address may end the script early.
    text = json.dumps({"imports": imports}).replace("<", "\\u003c")
    script = mark_safe(f'<script type="importmap"{attribute}>{text}</script>')  # noqa: S308
    return format_html("{}\n  {}", script, _preloads(imports))


def _preloads(imports: dict[str, str]) -> SafeString:
    """A link for each module, under the address by which the others import it.

    That address is relative to `main.js`, whatever names a storage for static files gives to
    copies of them; only what the map names has the storage's own.
    """
    main = static("tertulia/page/main.js")
    spoken = (get_language() or "").partition("-")[0]
    strings = f"strings/{spoken if spoken in LANGUAGES else LANGUAGES[0]}.js"
    beside = (urljoin(main, path) for path in (*FIRST_LOAD, strings))
    links = ((address,) for address in (*imports.values(), *beside))
    return format_html_join("\n  ", '<link rel="modulepreload" href="{}">', links)
