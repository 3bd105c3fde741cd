"""How a restore stands to PostgreSQL: whether a session is one, and whose the tables are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .archive import BackupError
from .progress import Progress

# Django's own tables, of all versions that Tertulia ran with.
OF_DJANGO = frozenset(
    {
        "auth_group",
        "auth_group_permissions",
        "auth_permission",
        "auth_user",
        "auth_user_groups",
        "auth_user_user_permissions",
        "django_admin_log",
        "django_content_type",
        "django_migrations",
        "django_session",
    }
)

_PID = "SELECT pg_backend_pid()"
# Tables with their owner's name, whether that is who asks, and whether others were given rights.
_RIGHTS = """
SELECT c.relname, pg_get_userbyid(c.relowner), pg_get_userbyid(c.relowner) = current_user,
       EXISTS (SELECT 1 FROM aclexplode(c.relacl) AS given WHERE given.grantee <> c.relowner)
       OR EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = ANY(%s) ORDER BY c.relname
"""


def refuse_shared_sessions(connection: Any) -> None:
    """A pooler that gives each transaction another session would spread a restore over several.

    Such a one shows the same session to two connections, or, while the other one holds it, two
    sessions to one connection.
    """
    other = connection.copy()
    try:
        with connection.cursor() as here, other.cursor() as there:
            first = _pid(here)
            there.execute("BEGIN")
            shared = _pid(there) == first or _pid(here) != first
            there.execute("ROLLBACK")
    finally:
        other.close()
    if shared:
        raise BackupError(
            "between here and PostgreSQL is a pooler that shares sessions by transactions:"
            " restore with a DATABASE_URL that leads to PostgreSQL itself"
        )


def _pid(cursor: Any) -> int:
    cursor.execute(_PID)
    (pid,) = cursor.fetchone()
    return int(pid)


def check_rights(connection: Any, schema: str, tables: Sequence[str]) -> None:
    """The tables that come belong to who restores, and nobody else has a right to them."""
    with connection.cursor() as cursor:
        cursor.execute(_RIGHTS, [schema, list(tables)])
        found = cursor.fetchall()
    for name, owner, own, _ in found:
        if not own:
            raise BackupError(f"{schema}.{name} belongs to {owner}: restore as that user")
    given = [name for name, _, _, rights in found if rights]
    if given:
        Progress.say(
            f"Warning: the rights that others were given to {', '.join(given)} end with the tables;"
            " GRANT them again"
        )
