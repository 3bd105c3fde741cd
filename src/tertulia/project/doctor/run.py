"""The checks, one after the other; one that fails by itself keeps no other from running."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

from tertulia.project.environment import Environment, SettingsError

from .report import Report

logger = logging.getLogger("tertulia.project")

Check = Callable[[Environment, Report], None]


def doctor(env: Environment, *, as_json: bool = False) -> int:
    """Print what was found; 1 where there is a fault. Raises SettingsError for bad settings."""
    # Nothing that is imported or asked below says anything past the report.
    logging.disable(logging.CRITICAL)
    try:
        report = _examined(env)
    finally:
        logging.disable(logging.NOTSET)
    print(report.as_json() if as_json else report.as_text())
    return report.status


def _examined(env: Environment) -> Report:
    report = Report()
    report.ok("the settings in the environment can be read")
    for check in _checks(env, report):
        try:
            check(env, report)
        except SettingsError:
            raise
        except Exception as error:  # noqa: BLE001 - the other checks are worth having
            name = check.__module__.rpartition(".")[2].removeprefix("check_").replace("_", " ")
            report.fault(
                f"the check of the {name} failed: {type(error).__name__}: {error}",
                "see whether what it looks at can be reached; else report this",
            )
    return report


def _checks(env: Environment, report: Report) -> list[Check]:
    from . import check_folder

    first: list[Check] = [check_folder.key, check_folder.folder, check_folder.disk]
    reachable = _set_up(env, report)
    # Only now: some of them import what needs Django.
    from . import (
        check_accounts,
        check_database,
        check_log,
        check_machine,
        check_mail,
        check_redis,
        check_site,
    )

    settings: list[Check] = [
        check_site.settings,
        check_site.address,
        check_site.proxies,
        check_site.openness,
    ]
    others: list[Check] = [check_redis.redis, check_redis.workers, check_mail.mail]
    machine: list[Check] = [check_machine.files, check_machine.versions]
    data: list[Check] = []
    if reachable:
        data = [check_database.database, check_database.migrations, check_database.clock]
        data += [check_log.log, check_accounts.administrators, check_accounts.sessions]
    return [*first, *settings, *data, *others, *machine]


def _set_up(env: Environment, report: Report) -> bool:
    """Django, with a database that cannot be written to; whether there is one at all."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tertulia.project.settings")
    import django
    from django.conf import settings

    from . import read_only

    exists = read_only.restrict(env, settings.DATABASES["default"])
    django.setup()
    if not exists:
        report.warn(
            f"there is no database yet in {settings.DATABASES['default']['NAME']}",
            "`tertulia serve` or `tertulia migrate` makes it",
        )
    return exists
