"""What the administration does to the account behind a person: signing out, closing, opening."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.utils.translation import gettext_lazy as _

from tertulia.protocol.errors import conflict, forbidden

from .. import sessions
from ..models import Participant
from ..people import user_has
from ..profile.change import set_picture
from ..signals import tell_signed_out
from .acts import Act, Doing, permission


def _account(doing: Doing, person: Participant) -> Any:
    """The account, if the one who acts may touch it. In the writing transaction."""
    doing.authority.check()
    user = person.user
    if user is None:
        raise conflict("This person has no account.")
    if getattr(user, "is_superuser", False) and not getattr(
        doing.request.user, "is_superuser", False
    ):
        raise forbidden("Only a superuser may do this to a superuser.")
    return user


class SignOutForm(forms.Form):
    """Whether programs lose their tokens too."""

    tokens = forms.BooleanField(
        label=_("Delete the tokens too: programs that speak for this person are locked out."),
        required=False,
    )


def _sessions(people: list[Participant]) -> dict[str, list[str]] | None:
    """The keys of their sessions; None where sessions cannot be listed."""
    if sessions.store() is None:
        return None
    return sessions.keys_of(person.user_id for person in people if person.user_id is not None)


def _sign_out(doing: Doing, person: Participant) -> None:
    user = _account(doing, person)
    if doing.found is None:
        raise conflict(
            "This site keeps sessions where they cannot be listed: set another password instead."
        )
    sessions.end_sessions(doing.found[str(user.pk)])
    if doing.said.get("tokens"):
        person.tokens.all().delete()
    tell_signed_out(person)


def _deactivate(doing: Doing, person: Participant) -> None:
    user = _account(doing, person)
    if user.pk == doing.request.user.pk:
        raise forbidden("Nobody closes the account with which he is signed in.")
    user.is_active = False
    user.save(update_fields=["is_active"])


def _activate(doing: Doing, person: Participant) -> None:
    user = _account(doing, person)
    user.is_active = True
    user.save(update_fields=["is_active"])


def _remove_picture(doing: Doing, person: Participant) -> None:
    doing.authority.check()
    if person.avatar:
        set_picture(person, None)


def _is_active(person: Participant) -> bool:
    return person.user is not None and bool(person.user.is_active)


def account_permission() -> str:
    """Accounts are the host's: its permission on its own user model counts."""
    return permission(get_user_model(), "change")


def acts() -> tuple[Act, ...]:
    """What can be done to people, as far as the host's accounts allow."""
    on_accounts = account_permission()
    offered = [
        Act(
            name="sign_out",
            label=_("Sign out everywhere"),
            do=_sign_out,
            permission=on_accounts,
            warning=_(
                "All sessions end, and all open pages and programs are disconnected within two"
                " seconds. Who knows the password can sign in again."
            ),
            form=SignOutForm,
            prepare=_sessions,
            fits=lambda person: person.user_id is not None,
        ),
    ]
    if user_has("is_active"):
        offered += [
            Act(
                name="deactivate",
                label=_("Deactivate the account"),
                do=_deactivate,
                permission=on_accounts,
                warning=_(
                    "This person is disconnected within two seconds and can sign in no longer,"
                    " nor can programs by a token. What was written stays, with the name."
                ),
                fits=_is_active,
            ),
            Act(
                name="activate",
                label=_("Activate the account"),
                do=_activate,
                permission=on_accounts,
                fits=lambda person: person.user is not None and not person.user.is_active,
            ),
        ]
    offered.append(
        Act(
            name="remove_picture",
            label=_("Remove the picture"),
            do=_remove_picture,
            permission=permission(Participant, "change"),
            warning=_("Everybody sees initials instead. The picture’s file is deleted."),
            fits=lambda person: bool(person.avatar),
        )
    )
    return tuple(offered)
