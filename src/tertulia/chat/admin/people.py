"""People and the tokens that speak for them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tertulia.protocol.errors import conflict

from .. import sessions
from ..models import Membership, Message, Participant, Token
from ..people import user_has
from ..profile.change import set_profile
from ..profile.names import NameTaken, clean_name
from ..slugs import fold
from . import accounts
from .acts import Acts, doing, permission
from .base import ReadOnly, count_of
from .filters import FoundByPerson, PersonFilter
from .show import (
    NOTHING,
    isolated,
    link,
    list_of,
    message_text,
    moment,
    page_of,
    person_link,
    reading,
    room_link,
    with_people,
)

# Rooms on a person's page; the list of memberships has them all.
_ROOMS = 50
_SIGNED_IN = "tertulia_chat_participant_signed_in"
_ALL_ROOMS = Membership.objects.filter(left_seq__isnull=True)


class AccountFilter(admin.SimpleListFilter):
    """By what has become of the account."""

    title = _("account")
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        states = [("none", _("none"))]
        if user_has("is_active"):
            states = [("active", _("active")), ("closed", _("deactivated")), *states]
        return states

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "none":
            return queryset.filter(user__isnull=True)
        if self.value() in ("active", "closed") and user_has("is_active"):
            return queryset.filter(user__is_active=self.value() == "active")
        return queryset


class NameForm(forms.ModelForm):
    """Another name, by the rules that hold for everybody."""

    class Meta:
        model = Participant
        fields = ("name",)

    def clean_name(self) -> str:
        """A name that stays may be older than the rules."""
        name: str = self.cleaned_data["name"]
        return clean_name(name) if "name" in self.changed_data else name


@admin.register(Participant)
class ParticipantAdmin(Acts, ReadOnly):
    """Everybody in the chat. What belongs to the account is in the list of accounts."""

    list_display = ("shown", "kind", "account", "last_sign_in", "rooms", "tokens", "created_at")
    list_filter = ("kind", AccountFilter)
    search_fields = ("name",)
    search_help_text = _("A part of the name, or the public id.")
    sortable_by = ("shown",)
    change_list_template = "admin/tertulia_chat/participant_list.html"
    form = NameForm
    readonly_fields = (
        "kind",
        "account",
        "last_sign_in",
        "picture_shown",
        "rooms_shown",
        "messages_shown",
        "tokens",
        "public_id",
        "created_at",
    )
    fields = ("name", *readonly_fields)
    acts = accounts.acts()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_change_permission(self, request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Participant]:
        mine = OuterRef("pk")
        return (
            super()
            .get_queryset(request)
            .select_related("user")
            .annotate(
                in_rooms=count_of(_ALL_ROOMS.filter(participant=mine), "participant"),
                has_tokens=count_of(Token.objects.filter(participant=mine), "participant"),
            )
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Participant], search_term: str
    ) -> tuple[QuerySet[Participant], bool]:
        term = search_term.replace("\0", "").strip()
        if not term:
            return queryset, False
        named = Q(name_fold__contains=fold(term)) | Q(public_id=term.lower())
        return queryset.filter(named), False

    def save_model(self, request: HttpRequest, obj: Participant, form: Any, change: bool) -> None:
        """Another name, told to all open pages."""
        if "name" not in form.changed_data:
            return
        under_way = doing(request, permission(Participant, "change"))
        person = Participant.objects.get(pk=obj.pk)
        try:
            with transaction.atomic():
                under_way.authority.check()
                set_profile(
                    person,
                    name=form.cleaned_data["name"],
                    language=person.language,
                    time_zone=person.time_zone,
                )
        except NameTaken:
            raise conflict("Somebody else here has this name.") from None

    # Who is signed in

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.signed_in)
        return [path("signed-in/", view, name=_SIGNED_IN), *super().get_urls()]

    def signed_in(self, request: HttpRequest) -> HttpResponse:
        """The accounts with sessions that hold."""
        if not self.has_view_permission(request) or not self._sees_accounts(request):
            raise PermissionDenied
        asked = request.GET.get("q", "").replace("\0", "").strip()
        found = sessions.signed_in(asked)
        page = Paginator(found, self.list_per_page).get_page(request.GET.get("p"))
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Who is signed in"),
            "opts": self.opts,
            "known": sessions.store() is not None,
            "looked_at": sessions.LOOKED_AT,
            "page": page,
            "asked": asked,
            "rows": [(one, person_link(one.user.participant)) for one in page if _enrolled(one)],
            "may_end": request.user.has_perm(accounts.account_permission()),
            "media": self.media,
        }
        return TemplateResponse(request, "admin/tertulia_chat/signed_in.html", context)

    def _sees_accounts(self, request: HttpRequest) -> bool:
        model: Any = Participant._meta.get_field("user").related_model
        needed = [permission(model, what) for what in ("view", "change")]
        return any(request.user.has_perm(one) for one in needed)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        shown = {"signed_in": self._sees_accounts(request) and reverse(f"admin:{_SIGNED_IN}")}
        return super().changelist_view(request, {**shown, **(extra_context or {})})

    # Columns and lines

    @admin.display(description=_("name"), ordering="name_fold")
    def shown(self, person: Participant) -> SafeString:
        return isolated(person.name)

    @admin.display(description=_("account"))
    def account(self, person: Participant) -> Any:
        user: Any = person.user
        if user is None:
            return NOTHING
        name = isolated(user.get_username())
        # A host may keep its accounts out of the administration.
        with suppress(NoReverseMatch):
            name = link(page_of(user), name)
        if user.is_active:
            return name
        return format_html("{} <em>{}</em>", name, gettext("deactivated"))

    @admin.display(description=_("last sign-in"))
    def last_sign_in(self, person: Participant) -> str:
        return moment(getattr(person.user, "last_login", None))

    @admin.display(description=_("rooms"))
    def rooms(self, person: Any) -> SafeString:
        return link(list_of(Membership, person=person.public_id), person.in_rooms)

    @admin.display(description=_("tokens"))
    def tokens(self, person: Any) -> Any:
        if not person.has_tokens:
            return NOTHING
        return link(list_of(Token, person=person.public_id), person.has_tokens)

    @admin.display(description=_("picture"))
    def picture_shown(self, person: Participant) -> Any:
        return link(person.avatar, person.avatar) if person.avatar else NOTHING

    @admin.display(description=_("rooms"))
    def rooms_shown(self, person: Any) -> Any:
        """Each room, the role in it, and how far this person has read."""
        if not person.in_rooms:
            return NOTHING
        mine = _ALL_ROOMS.filter(participant=person).select_related("room").order_by("pk")
        rows = format_html_join(
            "\n",
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            (
                (room_link(member.room), member.get_role_display(), reading(member))
                for member in with_people(mine, "room")[:_ROOMS]
            ),
        )
        head = format_html(
            "<tr><th>{}</th><th>{}</th><th>{}</th></tr>",
            *(gettext("room"), gettext("role"), gettext("has read")),
        )
        table = format_html(
            '<table class="tertulia-rows"><thead>{}</thead><tbody>{}</tbody></table>', head, rows
        )
        every = link(list_of(Membership, person=person.public_id), gettext("all rooms"))
        return format_html('<div class="tertulia-wide">{}{}</div>', table, every)

    @admin.display(description=_("messages"))
    def messages_shown(self, person: Participant) -> Any:
        """The last message, by the index of its author whatever the statistics say."""
        rows = Message.objects.filter(author=person).defer("html").select_related("room")
        last = rows.order_by((F("id") + 0).desc()).first()
        if last is None:
            return NOTHING
        every = link(list_of(Message, person=person.public_id), gettext("all messages"))
        told = link(page_of(last), gettext("the last one"))
        return format_html(
            "{} · {} ({}): {}", every, told, room_link(last.room), message_text(last)
        )


def _enrolled(one: sessions.SignedIn) -> bool:
    return getattr(one.user, "participant", None) is not None


@admin.register(Token)
class TokenAdmin(FoundByPerson, ReadOnly):
    """A token can be taken away, which ends the sockets that came with it. It is made by
    `tertulia token NAME`, and only its hash is kept."""

    list_display = ("begins", "whose", "holds", "created_at")
    list_filter = (PersonFilter,)
    fields = ("begins", "whose", "holds", "created_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Token]:
        return super().get_queryset(request).select_related("participant__user")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    @admin.display(description=_("SHA-256 begins with"))
    def begins(self, token: Token) -> str:
        return token.digest[:8]

    @admin.display(description=_("person"))
    def whose(self, token: Token) -> SafeString:
        return person_link(token.participant)

    @admin.display(description=_("admits"), boolean=True)
    def holds(self, token: Token) -> bool:
        """Whether whoever has it is let in."""
        person = token.participant
        if person.user is None:
            return person.kind == Participant.Kind.BOT
        return bool(person.user.is_active)
