"""`tertulia createuser` and `tertulia token`."""

from __future__ import annotations

import getpass
import sys

from . import database, startup
from .environment import Environment, SettingsError


def createuser(env: Environment, name: str, admin: bool, password_stdin: bool) -> int:
    """Make an account; the password from standard input, by asking, or none.

    Without a terminal and without --password-stdin the account has no password: it can be
    used by token, and an administrator can set one.
    """
    startup.prepare(env)
    from .accounts.create import AccountRefused, create_account

    password = _password(password_stdin)
    try:
        with startup.database_errors(env):
            user = create_account(name, password, admin=admin)
    except AccountRefused as refused:
        raise SettingsError(str(refused)) from refused
    kind = "administrator" if admin else "account"
    without = "" if password is not None else ", without a password"
    print(f"{user.get_username()}: new {kind}{without}.")
    return 0


def token(env: Environment, name: str) -> int:
    """Print a new bearer token and nothing else."""
    if not name.isprintable():  # lone surrogates too: bytes that are no text
        raise SettingsError(f"there is no account {name!r}")
    startup.prepare(env)
    from django.contrib.auth import get_user_model

    from tertulia.chat.people import issue_token, participant_of

    from .accounts.names import as_registered

    with startup.database_errors(env):
        accounts = get_user_model()._default_manager
        user = accounts.filter(username=as_registered(name)).first()
        if user is None:
            where = database.describe(env)
            raise SettingsError(f"there is no account {name!r} in {where}")
        if not user.is_active:
            raise SettingsError(f"the account {name!r} is deactivated")
        text = issue_token(participant_of(user))
    print(text)
    return 0


def _password(from_stdin: bool) -> str | None:
    if from_stdin:
        try:
            line = sys.stdin.readline().rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise SettingsError("the password on standard input is not text") from error
        if not line:
            raise SettingsError("there is no password on standard input")
        return line
    if not sys.stdin or not sys.stdin.isatty():
        return None
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("Once more: "):
        raise SettingsError("the two passwords differ")
    if not password:
        raise SettingsError("the password is empty")
    return password
