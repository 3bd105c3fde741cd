"""Names of people: what one may hold, and that no two people have the same.

Mentions find people by name, so names that are equal after folding may not coexist.
"""

from __future__ import annotations

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from ..models import Installation, Participant
from ..slugs import fold
from ..text import is_blank

# Code points of a name that somebody chooses.
LENGTH = 80
# Room for a name that comes from an account, as the table has it.
_COLUMN = 150

# Joiners and variation selectors shape emoji and the letters of some scripts. After anything
# else they are invisible, and would make two names that look the same.
_SHAPING = frozenset("\u200c\u200d\ufe0e\ufe0f")
_SHAPED = frozenset({"Lo", "Mn", "Mc", "So", "Sk"})
# What shows nothing although it is a letter or a mark.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0d\uffa0"
    "\U000e0100-\U000e01ef]"
)
# Controls, formats (what turns the direction of text is among them), surrogates, characters of
# one font only, and the two that break a line.
_REFUSED = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


class NameTaken(Exception):
    """Somebody else has this name, or one that looks the same."""


def clean_name(text: str) -> str:
    """The name in NFC, with single spaces. Raises `ValidationError` with a sentence for people."""
    found = [char for char in text if not char.isspace() and _is_hidden(char)]
    name = unicodedata.normalize("NFC", " ".join(text.split()))
    pairs = zip(" " + name, name, strict=False)
    found += [char for before, char in pairs if _shapes_nothing(before, char)]
    if found or name.endswith(("\u200c", "\u200d")):
        raise ValidationError(
            _("There is a character in this name that cannot be seen. Write it anew."),
            code="hidden",
        )
    if is_blank(name):
        raise ValidationError(_("A name needs something that can be seen."), code="blank")
    if len(name) > LENGTH:
        raise ValidationError(
            _("A name has at most %(most)d characters."), code="long", params={"most": LENGTH}
        )
    return name


def _is_hidden(char: str) -> bool:
    if char in _SHAPING:
        return False
    return unicodedata.category(char) in _REFUSED or _INVISIBLE.match(char) is not None


def _shapes_nothing(before: str, char: str) -> bool:
    return (
        char in _SHAPING and before not in _SHAPING and unicodedata.category(before) not in _SHAPED
    )


def lock_names() -> None:
    """Until the transaction ends nobody else takes a name; names are changed seldom."""
    list(Installation.objects.select_for_update())


def check_free(name: str, besides: Participant) -> None:
    """Raises `NameTaken`. Call it behind `lock_names`, in the transaction that takes the name."""
    if Participant.objects.filter(name_fold=fold(name)).exclude(pk=besides.pk).exists():
        raise NameTaken


def free_name(wanted: str, besides: Participant | None = None) -> str:
    """The name of an account, or `name-2`, `name-3` … where somebody has taken it."""
    wanted = wanted[:_COLUMN]
    others = Participant.objects.all()
    if besides is not None:
        others = others.exclude(pk=besides.pk)
    name, number = wanted, 1
    while others.filter(name_fold=fold(name)).exists():
        number += 1
        name = f"{wanted[: _COLUMN - 1 - len(str(number))]}-{number}"
    return name
