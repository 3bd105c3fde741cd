"""The chat as a Django app: rooms, the log, live sockets and pages.

from tertulia.chat import post, open_room, revoke
"""

from __future__ import annotations

from typing import Any

__all__ = ["open_room", "post", "revoke"]


def __getattr__(name: str) -> Any:
    """The functions need loaded models, so they are fetched when they are asked for."""
    if name in __all__:
        from . import api

        return getattr(api, name)
    raise AttributeError(name)
