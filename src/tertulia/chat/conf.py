"""`settings.TERTULIA`: one dictionary, every key optional."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed


@dataclass(frozen=True)
class Conf:
    """The chat's settings; the key in `settings.TERTULIA` is the name in capitals."""

    # Guests may talk, and a public room comes into being when it is first visited.
    open: bool = False
    # Rates and caps a person and an address.
    limits: bool = True
    # The public origin (scheme://host[:port]); None: the address that the request names.
    site_origin: str | None = None
    # Other origins that may open sockets; ("*",) for all.
    allowed_origins: tuple[str, ...] = ()
    # Members may invite people by mail; None: where the project says in DEFAULT_FROM_EMAIL who
    # sends its mails.
    invite_by_mail: bool | None = None
    # Path of a function that leads people who have no account through making one; see
    # `chat/mailing/newcomers.py`.
    newcomers: str | None = None
    # Seconds between heartbeats.
    heartbeat: int = 25
    # Sockets that one process holds; fewer where the limit on open files is lower.
    max_sockets: int = 50_000


KEYS = {field.name.upper(): field.name for field in fields(Conf)}


def load(values: dict[str, Any]) -> Conf:
    """Known keys of `settings.TERTULIA`; unknown ones are reported by a system check."""
    known = {KEYS[key]: value for key, value in values.items() if key in KEYS}
    if "allowed_origins" in known:
        known["allowed_origins"] = tuple(known["allowed_origins"])
    return Conf(**known)


class _Lazy:
    """Reads the settings when first asked, and again when a test overrides them."""

    _loaded: Conf | None = None

    def __getattr__(self, name: str) -> Any:
        if self._loaded is None:
            self._loaded = load(getattr(settings, "TERTULIA", {}))
        return getattr(self._loaded, name)

    def forget(self, *, setting: str, **kwargs: Any) -> None:
        if setting == "TERTULIA":
            self._loaded = None


conf = _Lazy()
setting_changed.connect(conf.forget)
