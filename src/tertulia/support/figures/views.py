"""The page of figures, and the same as CSV: for agents, of the inboxes in which they answer now.

Anybody else who is signed in is told that he answers in none. What an address names of another
inbox is answered as what does not exist.
"""

from __future__ import annotations

from math import ceil
from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import NON_FIELD_ERRORS
from django.db import connection
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tertulia.chat.answers import STATUS
from tertulia.chat.people import me
from tertulia.chat.profile.spoken import in_own_language
from tertulia.chat.views import to_sign_in
from tertulia.protocol.errors import ProtocolError

from ..models import Inbox
from . import shown, tables
from .aside import report_aside
from .asked import AskForm
from .cards import cards
from .plots import plots
from .report import Report, choosable
from .sheet import sheet

PAGE = "tertulia_support/figures.html"
# Of a rating's bar: how much of the height it has, in pixels; how long it may be, in percent.
BAR, LONGEST = 32, 72


class _Understood(HttpResponse):
    """What the first half of the view answers to the other: nothing is to be sent yet."""

    def __init__(self, form: AskForm) -> None:
        super().__init__()
        self.form = form


@never_cache
@require_safe
async def page(request: HttpRequest) -> HttpResponse:
    """`?period=7|30|90|own&first=&last=&inbox=&agent=&time=clock|hours`, all of it optional; with
    `format=csv` the rows of `rows=days|agents|inboxes`. Who waits for his turn holds no
    connection to the database.
    """
    understood = await sync_to_async(_understand)(request)
    if not isinstance(understood, _Understood):
        return understood
    form = understood.form
    try:
        found = await report_aside(form.asked())
    except ProtocolError as error:
        return await sync_to_async(_put_off)(request, form, error)
    return await sync_to_async(_show)(request, form, found)


@in_own_language
def _understand(request: HttpRequest) -> HttpResponse:
    person = me(request)
    if person is None:
        return to_sign_in(request)
    mine = list(Inbox.objects.filter(agents__participant=person.pk).order_by("name", "pk"))
    if not mine:
        return _nothing(request)
    form = AskForm(request.GET, mine, person)
    if not form.is_valid():
        return _refused(request, form, form.status())
    # It may be long until his turn comes, and the pool has few of them.
    connection.close()
    return _Understood(form)


@in_own_language
def _show(request: HttpRequest, form: AskForm, found: Report | None) -> HttpResponse:
    if found is None:
        told = _("Nobody with this id has answered in these inboxes and days, or does now.")
        form.add_error("agent", told)
        return _refused(request, form, form.status())
    if form.cleaned_data["format"] == "csv":
        return sheet(found, form.cleaned_data["rows"])
    return render(request, PAGE, {**_frame(form), **_shown(request, found)})


@in_own_language
def _put_off(request: HttpRequest, form: AskForm, error: ProtocolError) -> HttpResponse:
    """Others ask for figures, too, and have been faster."""
    form.add_error(None, _("The server cannot do this just now. Try again in a moment."))
    response = _refused(request, form, STATUS[error.code])
    response["Retry-After"] = str(ceil(error.retry_after or 0))
    return response


def _nothing(request: HttpRequest) -> HttpResponse:
    if request.GET.get("format") == "csv":
        return _text(_("You answer in no inbox."), 404)
    return render(request, PAGE, {"back": reverse("tertulia_support_inbox:list")})


def _refused(request: HttpRequest, form: AskForm, status: int) -> HttpResponse:
    """What is wrong, beside its field; a program is told in lines."""
    if request.GET.get("format") == "csv":
        lines = [
            ("" if name == NON_FIELD_ERRORS else f"{name}: ") + " ".join(map(str, told))
            for name, told in form.errors.items()
        ]
        return _text("\n".join(lines), status)
    chosen = str(form.data.get("agent", ""))
    around = {**_frame(form), "people": choosable(form.mine, chosen), "chosen": chosen}
    return render(request, PAGE, around, status=status)


def _text(text: str, status: int) -> HttpResponse:
    return HttpResponse(f"{text}\n", content_type="text/plain; charset=utf-8", status=status)


def _frame(form: AskForm) -> dict[str, Any]:
    """The form alone: what stands around the figures, or around what is wrong."""
    hidden: list[Any] = [form.errors.get(name, []) for name in (NON_FIELD_ERRORS, "rows", "format")]
    return {
        "back": reverse("tertulia_support_inbox:list"),
        "form": form,
        "own": [form["first"], form["last"]],
        "hidden_errors": [told for each in hidden for told in each],
    }


def _shown(request: HttpRequest, found: Report) -> dict[str, Any]:
    asked = found.asked
    waiting, longest = found.waiting, found.waiting.longest
    return {
        "report": found,
        "people": found.people,
        "chosen": found.agent and found.agent.public_id,
        "zone": asked.zone,
        "days": _period(asked.first, asked.last),
        "days_before": _period(asked.before.first, asked.before.last),
        "waiting": waiting,
        "waited": shown.duration(waiting.seconds, within=asked.within),
        "longest": longest,
        "longest_at": longest
        and reverse("tertulia_support_inbox:conversation", args=[longest.room.slug]),
        "cards": cards(found),
        "plots": plots(found),
        "ratings": tables.ratings(found),
        "ratings_by_day": tables.by_day(found, _("Ratings by day"), tables.RATINGS),
        "bars": [_bar(found, value, place) for place, value in enumerate(found.ratings)],
        "by_agent": tables.by_agent(found),
        "by_inbox": tables.by_inbox(found) if found.inboxes else None,
        "sheets": _sheets(request.GET, found),
    }


def _period(first: Any, last: Any) -> str:
    if first == last:
        return shown.long_day(first)
    return f"{shown.long_day(first)} – {shown.long_day(last)}"


def _bar(found: Report, value: int, place: int) -> dict[str, Any]:
    """A line of the distribution, in pixels from the top; beside the longest bar is room for its
    number."""
    n, most = found.ratings[value], max(found.ratings.values())
    return {
        "value": value,
        "y": place * BAR + 4,
        "middle": place * BAR + BAR // 2,
        "n": shown.count(n),
        "width": f"{LONGEST * n / most if most else 0:.2f}%",
        "share": shown.share(n, sum(found.ratings.values())),
    }


def _sheets(given: QueryDict, found: Report) -> list[tuple[str, str]]:
    """What can be downloaded, and where: the same question with another answer."""
    by_span = _("By week") if tables.is_weekly(found) else _("By day")
    offered = [("days", by_span), ("agents", _("By agent"))]
    if found.inboxes:
        offered.append(("inboxes", _("By inbox")))
    sheets = []
    for rows, label in offered:
        query = given.copy()
        query["format"], query["rows"] = "csv", rows
        sheets.append((f"?{query.urlencode()}", label))
    return sheets
