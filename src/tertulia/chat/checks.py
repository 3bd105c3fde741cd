"""System checks: a misspelt setting is named, with its nearest relative."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from .conf import KEYS


@register()
def known_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every key of `settings.TERTULIA` is one that means something."""
    values = getattr(settings, "TERTULIA", {})
    if not isinstance(values, dict):
        return [Error("settings.TERTULIA must be a dictionary.", id="tertulia.E001")]
    return [_unknown(key) for key in values if key not in KEYS]


def _unknown(key: str) -> Error:
    near = get_close_matches(str(key), KEYS, n=1, cutoff=0.0)
    return Error(
        f"settings.TERTULIA has no key {key!r}.",
        hint=f"Did you mean {near[0]!r}?" if near else None,
        id="tertulia.E002",
    )
