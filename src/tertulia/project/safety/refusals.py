"""What keeps the server from starting, each told in one line. See `tertulia.project.safety`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from tertulia.project import datafolder
from tertulia.project.environment import Environment, SettingsError

from .keys import default, weakness

WRONG_USE = 2
NEW_KEY = "openssl rand -base64 48"
# The only settings with DEBUG: they refuse any other address than this machine's own.
DEVELOPMENT = "tertulia.project.dev.settings"
# Makes a server of the testing package fail on purpose. Nothing here reads what it says.
FAILPOINTS = "TERTULIA_FAILPOINTS"


def in_development(env: Environment) -> bool:
    """Under bin/dev or `manage runserver`, which are not for serving others."""
    return env.runserver or os.environ.get("DJANGO_SETTINGS_MODULE") == DEVELOPMENT


def key_fault(env: Environment, *, strict: bool = True) -> str | None:
    """What is wrong with the secret key, and how to mend it.

    Without `strict` only what nobody may serve with: a key that anybody would try.
    """
    key = datafolder.secret_key(env)
    weak = weakness(key) if strict else default(key)
    if weak is None:
        return None
    if env.secret_key:
        return f"the secret key {weak}: set TERTULIA_SECRET_KEY to what `{NEW_KEY}` prints"
    path = env.secret_key_file or env.data / datafolder.KEY_FILE
    return f"the secret key in {path} {weak}: put there what `{NEW_KEY}` prints"


def settings_faults(env: Environment) -> Iterator[str]:
    """What is wrong with Django's settings; they are the site's own unless somebody put others."""
    from django.conf import settings

    if os.environ.get(FAILPOINTS, "").strip():
        yield (
            f"{FAILPOINTS} is set, which is for `python -m tertulia.testing serve` and its"
            " throwaway data only: unset it"
        )
    module = os.environ.get("DJANGO_SETTINGS_MODULE")
    if settings.DEBUG and not in_development(env):
        yield f"DEBUG is on in {module}, which shows anybody what errors hold: set it to False"
    if "*" in settings.ALLOWED_HOSTS and not (env.open or in_development(env)):
        yield (
            f"ALLOWED_HOSTS in {module} holds *, so that any name can be put into links that the"
            " site sends: name the hosts, or leave it to TERTULIA_URL"
        )
    own = datafolder.secret_key(env) == settings.SECRET_KEY
    if not own and (weak := default(settings.SECRET_KEY)):
        yield f"SECRET_KEY in {module} {weak}: leave it to TERTULIA_SECRET_KEY"


def administrator_fault(names: list[str]) -> str | None:
    """What is wrong with these administrators, whose passwords are well known."""
    if not names:
        return None
    shown = ", ".join(names)
    return (
        f"anybody could sign in as the administrator {shown}, whose password is one of those that"
        f" everybody tries: change it with `tertulia manage changepassword {names[0]}`"
    )


def refuse_key(env: Environment) -> None:
    """Raises SettingsError. Needs nothing but the environment."""
    if fault := key_fault(env, strict=False):
        raise SettingsError(fault)


def refuse_settings(env: Environment) -> None:
    """Raises SettingsError. Needs Django."""
    for fault in settings_faults(env):
        raise SettingsError(fault)


def refuse_administrators(env: Environment) -> None:
    """Raises SettingsError. Needs a migrated database."""
    if in_development(env):
        return
    from .passwords import proved

    names = [name for name, good in proved(keep=True).items() if not good]
    if fault := administrator_fault(names):
        raise SettingsError(fault)


@contextmanager
def told() -> Iterator[None]:
    """Under a server that is not ours: a wrong setting is one line and exit status 2 there, too."""
    try:
        yield
    except SettingsError as error:
        print(f"tertulia: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
        raise SystemExit(WRONG_USE) from None


def refuse_all(env: Environment) -> None:
    """For the ASGI application. A database that does not answer yet is asked by nobody here."""
    refuse_settings(env)
    with ThreadPoolExecutor(1) as thread:
        # A thread of its own: servers import the application while their loop runs.
        thread.submit(_ask_for_administrators, env).result()


def _ask_for_administrators(env: Environment) -> None:
    from django.db import Error, connection

    try:
        refuse_administrators(env)
    except Error:
        # Away, or not migrated: then there is nobody to sign in, and readyz tells of it.
        return
    finally:
        connection.close()
