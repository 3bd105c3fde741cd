"""Who administers, by which password; sessions that nobody clears away."""

from __future__ import annotations

from tertulia.project.environment import Environment
from tertulia.project.safety import refusals

from .check_database import answers
from .report import Report

SESSIONS = 10_000


def administrators(env: Environment, report: Report) -> None:
    """At least one, who can sign in, and nobody else as him."""
    if not answers() or not _there("auth_user"):
        return
    from django.contrib.auth import get_user_model
    from django.contrib.auth.hashers import is_password_usable

    from tertulia.project.safety.passwords import proved

    people = list(
        get_user_model()
        ._default_manager.filter(is_superuser=True, is_active=True)
        .values_list("username", "password")
    )
    bad = [name for name, good in proved().items() if not good]
    if fault := refusals.administrator_fault(bad):
        what, _, mend = fault.rpartition(": ")
        report.fault(what, mend)
    if not people:
        report.warn(
            "nobody administers the site: whoever has the set-up link can become who does",
            "open the link that `tertulia serve` prints, or `tertulia createuser NAME --admin`",
        )
    elif not any(is_password_usable(hashed) for _, hashed in people):
        report.warn(
            "no administrator has a password, so none can sign in on the site's pages",
            f"`tertulia manage changepassword {people[0][0]}`",
        )
    elif not bad:
        several = "administrator has" if len(people) == 1 else "administrators have"
        report.ok(f"{len(people)} {several} no password that everybody tries")


def _there(table: str) -> bool:
    from django.db import connection

    return table in connection.introspection.table_names()


def sessions(env: Environment, report: Report) -> None:
    """Those that have expired are only deleted by a command."""
    if not answers() or not _there("django_session"):
        return
    from django.contrib.sessions.models import Session
    from django.utils import timezone

    old = Session.objects.filter(expire_date__lt=timezone.now()).order_by()
    if old[SESSIONS : SESSIONS + 1].exists():
        report.warn(
            f"more than {SESSIONS:,} expired sessions are kept",
            "`tertulia manage clearsessions`, once a day or so",
        )
