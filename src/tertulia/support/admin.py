"""The administration of the desk: its inboxes, with who answers in them and ready answers.

Conversations are rooms, and are looked at as rooms.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tertulia.chat.admin.acts import Act, Acts, Doing, permission
from tertulia.chat.admin.show import NOTHING, isolated
from tertulia.chat.mailing.letter import site_of

from . import hours_fields
from .forms import inbox_form, languages
from .models import TEXTS, Agent, CannedReply, Conversation, Inbox, Visitor, new_secret
from .visitors import end_tokens


class AgentInline(admin.TabularInline):
    """Who answers. Taken away, he reads nothing more within two seconds."""

    model = Agent
    autocomplete_fields = ("participant",)
    fields = ("participant", "available")
    extra = 0


class ReplyInline(admin.StackedInline):
    """Answers that are ready to be sent."""

    model = CannedReply
    fields = ("shortcut", "text")
    extra = 0


def _renew_secret(doing: Doing, inbox: Inbox) -> None:
    doing.authority.check()
    Inbox.objects.filter(pk=inbox.pk).update(secret=new_secret())
    end_tokens(Visitor.objects.filter(inbox=inbox, external_id__isnull=False))


@admin.register(Inbox)
class InboxAdmin(Acts):
    """Everything that an inbox needs, on one page."""

    list_display = ("shown", "agents_shown", "open_shown", "sites_shown")
    list_display_links = ("shown",)
    search_fields = ("name",)
    inlines = (AgentInline, ReplyInline)
    readonly_fields = ("snippet", "secret_shown")
    acts = (
        Act(
            name="renew_secret",
            label=_("Make a new secret"),
            do=_renew_secret,
            permission=permission(Inbox, "change"),
            warning=_("What the sites have signed with the old one is good no longer."),
        ),
    )

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        inbox = form.instance
        if not inbox.sites:
            text = gettext("No page shows the widget yet: name your sites.")
            messages.warning(request, text)
        if not inbox.agents.exists():
            text = gettext("Nobody answers in this inbox yet: make somebody an agent of it.")
            messages.warning(request, text)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        return super().get_form(request, obj, change, **{**kwargs, "form": inbox_form()})

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        found: Any = super().get_object(request, *args, **kwargs)
        if found is not None:
            # For the line that is to be copied.
            found.served_from = site_of(request)
        return found

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        texts = [f"{text}_{code}" for code, _name in languages() for text in TEXTS]
        page = [
            (None, {"fields": ("name", "sites", "colour")}),
            (_("What it says"), {"fields": texts}),
            (_("Who is given what"), {"fields": ("automatic", "most")}),
            (_("When somebody is there"), {"fields": hours_fields.NAMES}),
        ]
        if obj is not None:
            # Who may only look at inboxes is not to speak for their visitors.
            shown = (
                self.readonly_fields if self.has_change_permission(request, obj) else ("snippet",)
            )
            page.insert(1, (_("On your site"), {"fields": shown}))
        return page

    def get_queryset(self, request: HttpRequest) -> QuerySet[Inbox]:
        is_open = Q(conversations__status=Conversation.Status.OPEN)
        return (
            super()
            .get_queryset(request)
            .annotate(
                n_agents=Count("agents", distinct=True),
                n_open=Count("conversations", filter=is_open, distinct=True),
            )
        )

    @admin.display(description=_("name"), ordering="name")
    def shown(self, inbox: Inbox) -> SafeString:
        return isolated(inbox.name)

    @admin.display(description=_("agents"), ordering="n_agents")
    def agents_shown(self, inbox: Any) -> int:
        return int(inbox.n_agents)

    @admin.display(description=_("open conversations"), ordering="n_open")
    def open_shown(self, inbox: Any) -> int:
        return int(inbox.n_open)

    @admin.display(description=_("sites"))
    def sites_shown(self, inbox: Inbox) -> str:
        return ", ".join(inbox.sites) or str(NOTHING)

    @admin.display(description=_("line for its pages"))
    def snippet(self, inbox: Inbox) -> SafeString:
        """What a page of the site needs to show the widget."""
        try:
            address = reverse("widget")
        except NoReverseMatch:
            address = "/widget.js"
        source = f"{getattr(inbox, 'served_from', '')}{address}"
        line = f'<script type="module" src="{source}" data-inbox="{inbox.public_id}"></script>'
        return format_html("<code>{}</code>", line)

    @admin.display(description=_("secret"))
    def secret_shown(self, inbox: Inbox) -> SafeString:
        """For the site's server alone, which signs with it who its visitors are."""
        told = gettext("For the server of the site alone: with it it signs who its visitors are.")
        return format_html("<code>{}</code><br>{}", inbox.secret, told)
