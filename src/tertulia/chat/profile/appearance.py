"""Light or dark: a choice of the device and not of the person, so it is kept in a cookie.

The server writes it into the page's root element, so no page is shown in the other colours first.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

COOKIE = "tertulia_theme"
THEMES = ("light", "dark")
# As browsers draw what the page does not: `--surface` of each theme in tokens.css.
SURFACE = {"light": "#faf6ef", "dark": "#201c18"}
YEAR = 365 * 24 * 3600


def theme_of(request: HttpRequest | None) -> str:
    """`light` or `dark`; empty: as the device says."""
    theme = request.COOKIES.get(COOKIE, "") if request is not None else ""
    return theme if theme in THEMES else ""


def keep_theme(request: HttpRequest, response: HttpResponse, theme: str) -> None:
    """Whatever is none of the themes means that the device decides again."""
    if theme not in THEMES:
        response.delete_cookie(COOKIE, samesite="Lax")
        return
    response.set_cookie(
        COOKIE,
        theme,
        max_age=YEAR,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )
