"""Acts: what the administration does to things, each by one button and for many at once.

An act is an action of Django's lists. On the page of one thing it is a button that sends the
list's action with that thing alone, so there is one way in and one check of permission; the
check that decides is in the writing transaction (`chat/authority.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_permission_codename
from django.db import DatabaseError, transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext, ngettext

from tertulia.protocol.errors import ProtocolError, unavailable

from ..actions import Action
from ..authority import Administrator
from ..people import Speaker, participant_of, speaker_of
from ..perform import perform
from .show import isolated, page_of

logger = logging.getLogger(__name__)

# Things that one request deals with, and faults that are told one by one.
MOST = 1_000
_FAULTS = 5
# From the button on a thing's own page: come back there.
BACK = "_back"
# What Django's own pages that ask send with a yes, and what it calls deleting.
CONFIRMED = "post"
DELETE = "delete_selected"


def permission(model: type[Model], what: str) -> str:
    """The name of Django's permission, like `tertulia_chat.change_room`."""
    return f"{model._meta.app_label}.{get_permission_codename(what, model._meta)}"


@dataclass(frozen=True)
class Doing:
    """One act under way: who does it, by which right, what he said with it, and what the act
    found beforehand (`Act.prepare`)."""

    request: HttpRequest
    authority: Administrator
    said: dict[str, Any]
    found: Any = None

    @property
    def speaker(self) -> Speaker:
        """The administrator as somebody in the chat: the events bear his name."""
        return speaker_of(participant_of(self.request.user))

    def perform(self, action: Action) -> Any:
        """Carry out an action that checks the authority in its transaction."""
        return perform(action, self.authority)


def doing(request: HttpRequest, needed: str, said: dict[str, Any] | None = None) -> Doing:
    """The account of this request acts, by the permission `needed`."""
    return Doing(request, Administrator(request.user.pk, needed), said or {})


@dataclass(frozen=True, kw_only=True)
class Act:
    """Something that can be done to a thing of the list. `do` raises `ProtocolError`."""

    name: str
    label: Any
    do: Callable[[Doing, Any], None]
    permission: str
    # What comes of it: asked before it is done; without it, it is done at once.
    warning: Any = ""
    # What comes of it besides with just these things: more lines of the question.
    cautions: Callable[[list[Any]], Iterable[Any]] = lambda things: ()
    form: type[forms.Form] | None = None
    # What all of these things need to have read, once and before anything is written: `do` is
    # in a transaction, and SQLite has one writer at a time. It becomes `Doing.found`.
    prepare: Callable[[list[Any]], Any] | None = None
    # Whether its button stands on the page of this thing.
    fits: Callable[[Any], bool] = lambda thing: True


class Acts(admin.ModelAdmin):
    """Offers `acts` in the list and on the pages of its things."""

    acts: tuple[Act, ...] = ()
    change_form_template = "admin/tertulia_chat/change_form.html"

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        offered = super().get_actions(request)
        if IS_POPUP_VAR in request.GET:
            return offered
        for act in self.acts:
            if request.user.has_perm(act.permission):
                offered[act.name] = (partial(_run, act), act.name, act.label)
        return offered

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Where deleting is an act, Django's address for it leads there too."""
        offered = self.get_actions(request)
        acts = [act for act in self.acts if act.name == DELETE and act.name in offered]
        thing = self.get_object(request, unquote(object_id)) if acts else None
        if thing is None:
            return super().delete_view(request, object_id, extra_context)
        chosen = self.get_queryset(request).filter(pk=thing.pk)
        return _run(acts[0], self, request, chosen) or HttpResponseRedirect(page_of(thing))

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        thing = kwargs.get("obj")
        if thing is not None:
            offered = self.get_actions(request)
            context["acts"] = [act for act in self.acts if act.name in offered and act.fits(thing)]
            context["back"] = BACK
        return super().render_change_form(request, context, *args, **kwargs)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> Any:
        """As Django's; what an action refuses is told in words, and nothing is written."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except ProtocolError as error:
            refused = error
        except DatabaseError as error:
            if request.method != "POST":
                raise
            refused = _away(error)
        self.message_user(request, gettext(refused.detail), messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())


def _away(error: DatabaseError) -> ProtocolError:
    logger.error("The administration could not write: %s", str(error).strip())
    return unavailable("The database cannot be written at the moment.")


def _run(act: Act, model_admin: Acts, request: HttpRequest, things: QuerySet[Any]) -> Any:
    """An action of Django's list: ask first where the act wants it, then do."""
    chosen = list(things[: MOST + 1])
    if len(chosen) > MOST:
        text = gettext("At most %(n)d at a time: narrow the list first.") % {"n": MOST}
        model_admin.message_user(request, text, messages.ERROR)
        return None
    confirmed = CONFIRMED in request.POST
    form = act.form(request.POST if confirmed else None) if act.form is not None else None
    if (act.warning or form) and not (confirmed and (form is None or form.is_valid())):
        return _ask(act, model_admin, request, chosen, form)
    said = form.cleaned_data if form is not None else {}
    under_way = doing(request, act.permission, said)
    if act.prepare is not None:
        under_way = replace(under_way, found=act.prepare(chosen))
    _do_all(act, model_admin, under_way, chosen)
    if BACK in request.POST and len(chosen) == 1:
        return HttpResponseRedirect(page_of(chosen[0]))
    return None


def _do_all(act: Act, model_admin: Acts, under_way: Doing, chosen: list[Any]) -> None:
    """Each in a transaction of its own: what is refused for one hinders no other."""
    done, faults = 0, []
    for thing in chosen:
        try:
            with transaction.atomic():
                act.do(under_way, thing)
                model_admin.log_change(under_way.request, thing, str(act.label))
            done += 1
        except ProtocolError as error:
            faults.append((thing, error))
        except DatabaseError as error:
            faults.append((thing, _away(error)))
    request = under_way.request
    for thing, fault in faults[:_FAULTS]:
        told = f"{thing}: {gettext(fault.detail)}"
        model_admin.message_user(request, told, messages.ERROR)
    if len(faults) > _FAULTS:
        more = len(faults) - _FAULTS
        text = ngettext("… and %(n)d more.", "… and %(n)d more.", more) % {"n": more}
        model_admin.message_user(request, text, messages.ERROR)
    if done:
        text = ngettext("“%(act)s”: done.", "“%(act)s”: done for %(n)d.", done)
        model_admin.message_user(request, text % {"act": act.label, "n": done}, messages.SUCCESS)


def _ask(
    act: Act, model_admin: Acts, request: HttpRequest, chosen: list[Any], form: Any
) -> HttpResponse:
    """The page that says what will come of it, and asks."""
    request.current_app = model_admin.admin_site.name
    context = {
        **model_admin.admin_site.each_context(request),
        "title": act.label,
        "opts": model_admin.model._meta,
        "act": act,
        "form": form,
        "cautions": list(act.cautions(chosen)),
        "chosen": [(thing.pk, page_of(thing), isolated(str(thing))) for thing in chosen],
        "checkbox": helpers.ACTION_CHECKBOX_NAME,
        "kept": [
            (name, request.POST[name]) for name in ("select_across", BACK) if name in request.POST
        ],
        "back": page_of(chosen[0]) if BACK in request.POST and chosen else request.get_full_path(),
        "confirmed": CONFIRMED,
        "media": model_admin.media,
    }
    return TemplateResponse(request, "admin/tertulia_chat/confirm_act.html", context)
