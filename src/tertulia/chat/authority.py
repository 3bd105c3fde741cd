"""By what right the administration acts in rooms of which the administrator is no member."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model

from tertulia.protocol.errors import forbidden


@dataclass(frozen=True)
class Administrator:
    """An account of the staff, and the one permission of Django's that the act needs.

    Only `perform()` gives it to an action: nothing that comes through a socket has one.
    """

    user_id: Any
    permission: str

    def check(self) -> None:
        """Asks the database, in the writing transaction: the rights may just have been taken."""
        user: Any = get_user_model()._default_manager.filter(pk=self.user_id).first()
        if not (
            user is not None
            and user.is_active
            and getattr(user, "is_staff", False)
            and user.has_perm(self.permission)
        ):
            raise forbidden("Your account may not do this.")
