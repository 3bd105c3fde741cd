"""The forms of the settings page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ..models import Participant
from . import pictures
from .names import LENGTH, clean_name
from .spoken import languages
from .zones import zones


class ProfileForm(forms.Form):
    """Name, language and time zone."""

    name = forms.CharField(
        label=_("Name"),
        # What is too long is refused in words, once it is in its final form.
        max_length=4 * LENGTH,
        strip=False,
        help_text=_("What others call you here. You sign in as before."),
        error_messages={"required": _("A name needs something that can be seen.")},
    )
    language = forms.ChoiceField(label=_("Language"), required=False)
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False)

    def __init__(self, person: Participant, data: Any = None) -> None:
        initial = {"name": person.name, "language": person.language, "time_zone": person.time_zone}
        super().__init__(data, initial=initial)
        self.person = person
        as_browser = [("", _("As the browser says"))]
        self._offer("language", [*as_browser, *languages()])
        self._offer("time_zone", [*as_browser, *zones()])
        attributes = {"autocomplete": "nickname", "dir": "auto"}
        self.fields["name"].widget.attrs.update(attributes, maxlength=str(LENGTH))

    def _offer(self, name: str, choices: list[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def clean_name(self) -> str:
        """A name that is as it was stays, even if it comes from an account and is longer."""
        name: str = self.cleaned_data["name"]
        return name if name == self.person.name else clean_name(name)


class AppearanceForm(forms.Form):
    """The colours of the pages on this device."""

    theme = forms.ChoiceField(
        label=_("Colours"),
        choices=[("", _("As the device says")), ("light", _("Light")), ("dark", _("Dark"))],
        widget=forms.RadioSelect,
        required=False,
    )


class PictureForm(forms.Form):
    """A new portrait; what the browser says about its kind is not asked."""

    picture = forms.FileField(
        label=_("Choose a picture"),
        help_text=_("PNG, JPEG, WebP or GIF, up to 5 MiB. The middle square is shown."),
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp,image/gif"}),
        error_messages={
            "required": _("Choose a picture first."),
            "empty": _("This is no picture that can be read: choose a PNG, JPEG, WebP or GIF."),
        },
    )

    def clean_picture(self) -> bytes:
        """The portrait's bytes."""
        upload = self.cleaned_data["picture"]
        if upload.size > pictures.BYTES:
            raise pictures.too_big()
        return pictures.portrait(upload)
