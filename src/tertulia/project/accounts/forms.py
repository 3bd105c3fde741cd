"""The forms by which people make accounts and sign in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import (
    AuthenticationForm,
    BaseUserCreationForm,
    PasswordChangeForm,
    UserChangeForm,
)
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from tertulia.chat.mailing.letter import NOTE, has_link

from . import names


class OneSpelling:
    """For forms on an account: refuses a name that is another's but for case or width."""

    cleaned_data: dict[str, Any]
    instance: Any

    def clean_username(self) -> str:
        """The name, if it is free."""
        name: str = self.cleaned_data["username"]
        if names.is_taken(name, besides=self.instance):
            raise ValidationError(_("This name is taken."), code="unique")
        return name


class FocusOnFault:
    """For forms: the keyboard comes to the first field that is to be mended."""

    errors: Any
    fields: dict[str, forms.Field]

    def full_clean(self) -> None:
        """As ever, and then the focus."""
        super().full_clean()  # type: ignore[misc]
        faulty = [name for name in self.fields if name in self.errors]
        if not faulty:
            return
        for field in self.fields.values():
            field.widget.attrs.pop("autofocus", None)
        self.fields[faulty[0]].widget.attrs["autofocus"] = True


PASSWORD_HELP = _("At least 8 characters, and not one that many use.")


class SignUpForm(FocusOnFault, OneSpelling, BaseUserCreationForm):
    """A new account: name, password twice, and where to send a link when it is forgotten."""

    class Meta(BaseUserCreationForm.Meta):
        fields = ("username", "email")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].help_text = _("Letters, digits and @ . + - _")
        self.fields["password1"].help_text = PASSWORD_HELP
        self.fields["password2"].help_text = ""
        self.fields["email"].label = _("E-mail address, if you like")
        self.fields["email"].help_text = _("Only for replacing a forgotten password.")
        self.fields["email"].widget.attrs["autocomplete"] = "email"
        self.order_fields(["username", "password1", "password2", "email"])


class NewPasswordForm(FocusOnFault, PasswordChangeForm):
    """The old password once, the new one twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_password1"].help_text = PASSWORD_HELP
        self.fields["new_password2"].help_text = ""


class AccountChangeForm(OneSpelling, UserChangeForm):
    """The administration's form on an account that exists."""


class SignInForm(AuthenticationForm):
    """Name and password; the name in any case."""

    error_messages = {
        "invalid_login": _("That name and password do not go together."),
        # The same text: whether an account exists is not told to who has no password.
        "inactive": _("That name and password do not go together."),
    }

    def clean_username(self) -> str:
        """The name as the account spells it."""
        return names.as_registered(self.cleaned_data["username"])


class MailForm(FocusOnFault, forms.Form):
    """Whom to invite by mail."""

    addresses = forms.CharField(
        label=_("E-mail addresses"),
        help_text=_("Apart by commas or on lines of their own."),
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
    )
    note = forms.CharField(
        label=_("A line of your own, if you like"),
        required=False,
        max_length=NOTE,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean_note(self) -> str:
        """Refuses a link: nobody's advertisement is sent in this site's name."""
        note: str = self.cleaned_data["note"]
        if has_link(note):
            raise ValidationError(_("The line may have no address of a page in it."), code="link")
        return note


class InviteForm(forms.Form):
    """A new invitation link."""

    uses = forms.IntegerField(
        label=_("For how many people"), min_value=1, max_value=1000, initial=1
    )
