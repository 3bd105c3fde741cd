"""The administration's form of an inbox: sites a line each, texts a field each."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from .models import TEXT_LENGTH, TEXTS, Inbox, check_sites

_LABELS = {"title": _("title"), "greeting": _("greeting"), "away": _("when nobody is there")}
HOURS_HELP = _(
    "Empty: somebody is always there. Else for example"
    ' {"time_zone": "Europe/Madrid", "weekly": {"mon": [["09:00", "13:30"], ["15:00", "18:00"]]},'
    ' "holidays": {"12-25": [], "2026-12-24": [["09:00", "13:00"]]}}. The days are mon, tue, wed,'
    " thu, fri, sat and sun."
)


def languages() -> list[tuple[str, str]]:
    """The site's, each with its name."""
    return [(code, str(name)) for code, name in settings.LANGUAGES]


class InboxForm(forms.ModelForm):
    """What an administrator sets up of an inbox."""

    sites = forms.CharField(
        label=_("sites"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "cols": 60}),
        help_text=_("One a line, like https://shop.example.org: their pages may show the widget."),
    )
    colour = forms.CharField(
        label=_("colour"),
        widget=forms.TextInput(attrs={"type": "color"}),
        initial="#2457c5",
    )

    class Meta:
        model = Inbox
        fields = ("name", "sites", "colour", "automatic", "most", "hours")
        help_texts = {"hours": HOURS_HELP}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        inbox = self.instance
        if inbox.pk:
            self.initial["sites"] = "\n".join(inbox.sites)
        self.fields["hours"].required = False
        for code, _name in languages():
            for text in TEXTS:
                self.initial[f"{text}_{code}"] = inbox.texts.get(code, {}).get(text, "")

    def clean_sites(self) -> list[str]:
        """Without the slash that is copied along."""
        lines = self.cleaned_data["sites"].split()
        sites = list(dict.fromkeys(line.lower().rstrip("/") for line in lines))
        check_sites(sites)
        return sites

    def clean_hours(self) -> Any:
        """No hours are none, however they are written."""
        return self.cleaned_data["hours"] or {}

    def save(self, commit: bool = True) -> Any:
        """With the texts of all languages; of others than the site's they stay as they are."""
        texts = dict(self.instance.texts)
        for code, _name in languages():
            given = {text: self.cleaned_data.get(f"{text}_{code}", "").strip() for text in TEXTS}
            texts[code] = {text: value for text, value in given.items() if value}
        self.instance.texts = {code: each for code, each in texts.items() if each}
        return super().save(commit)


def inbox_form() -> type[forms.ModelForm]:
    """The form, with a field for each text in each language of the site."""
    fields: dict[str, Any] = {
        f"{text}_{code}": forms.CharField(
            label=format_lazy("{} · {}", _LABELS[text], name),
            required=False,
            max_length=TEXT_LENGTH,
            widget=forms.TextInput if text == "title" else forms.Textarea(attrs={"rows": 2}),
        )
        for code, name in languages()
        for text in TEXTS
    }
    return type("InboxForm", (InboxForm,), fields)
