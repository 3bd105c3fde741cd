"""The administration's form of an inbox: sites a line each, texts and days a field each."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from . import hours_fields
from .models import TEXT_LENGTH, TEXTS, Inbox, check_sites

_LABELS = {"title": _("title"), "greeting": _("greeting"), "away": _("when nobody is there")}


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
        fields = ("name", "sites", "colour", "automatic", "most")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        inbox = self.instance
        if inbox.pk:
            self.initial["sites"] = "\n".join(inbox.sites)
        hours_fields.show(self, inbox.hours)
        for code, _name in languages():
            for text in TEXTS:
                self.initial[f"{text}_{code}"] = inbox.texts.get(code, {}).get(text, "")

    def clean_sites(self) -> list[str]:
        """Without the slash that is copied along."""
        lines = self.cleaned_data["sites"].split()
        sites = list(dict.fromkeys(line.lower().rstrip("/") for line in lines))
        check_sites(sites)
        return sites

    def clean(self) -> dict[str, Any]:
        """With the hours, of which each line is told by itself what is wrong with it."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        self.instance.hours = hours_fields.read(self, given)
        return given

    def save(self, commit: bool = True) -> Any:
        """With the texts of all languages; of others than the site's they stay as they are."""
        texts = dict(self.instance.texts)
        for code, _name in languages():
            given = {text: self.cleaned_data.get(f"{text}_{code}", "").strip() for text in TEXTS}
            texts[code] = {text: value for text, value in given.items() if value}
        self.instance.texts = {code: each for code, each in texts.items() if each}
        return super().save(commit)


def inbox_form() -> type[forms.ModelForm]:
    """The form, with a field for each text in each language of the site, and those of the hours."""
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
    return type("InboxForm", (InboxForm,), {**fields, **hours_fields.fields()})
