"""The command line: `tertulia`, and `python -m tertulia`.

A wrong argument or setting is one line on standard error and exit status 2.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from tertulia import __version__
from tertulia.project import logs
from tertulia.project.environment import SettingsError, need, parse_workers, read

WRONG_USE = 2
FAILED = 1
# Options of no command; any other one, coming first, is an option of `serve`.
GENERAL = ("-h", "--help", "--version")


class _Parser(argparse.ArgumentParser):
    """argparse, with one line for an error in place of the usage and the error."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USE, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # Python's own shell shows errors as it always does.
    logs.install(hooks=words[:1] != ["manage"] or words[1:2] == ["runserver"])
    try:
        if words[:1] == ["manage"]:
            return _manage(words[1:])
        if not words or (words[0].startswith("-") and words[0] not in GENERAL):
            words.insert(0, "serve")
        options = _parser().parse_args(words)
        status: int = options.run(options)
    except SettingsError as error:
        line = " ".join(str(error).split())
        print(f"tertulia: {line}", file=sys.stderr)
        return WRONG_USE
    except KeyboardInterrupt:
        return 130
    return status


def _parser() -> _Parser:
    parser = _Parser(
        prog="tertulia",
        allow_abbrev=False,
        description="A chat server: rooms, direct messages, and a log that loses nothing.",
        epilog="Without a command: serve. `tertulia manage …` runs a management command of Django.",
    )
    parser.add_argument("--version", action="version", version=f"tertulia {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> _Parser:
        sub: _Parser = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        sub.add_argument("--data", metavar="DIR", help="the data folder (TERTULIA_DATA)")
        sub.set_defaults(run=run)
        return sub

    serve = command("serve", _serve, "Serve the chat.")
    serve.add_argument("--host", default="127.0.0.1", help="where to listen (%(default)s)")
    serve.add_argument("--port", default=8000, type=_port, help="0 takes a free one (%(default)s)")
    serve.add_argument("--workers", help="processes; above 1 with PostgreSQL and Redis only (1)")
    serve.add_argument("--open", action="store_true", help="a playground: guests may talk")
    create = command("createuser", _createuser, "Make an account.")
    create.add_argument("name", metavar="NAME")
    create.add_argument("--admin", action="store_true", help="an administrator")
    create.add_argument(
        "--password-stdin", action="store_true", help="read the password from standard input"
    )
    token = command("token", _token, "Print a new bearer token for somebody, once.")
    token.add_argument("name", metavar="NAME")
    command("migrate", _migrate, "Bring the database up to date.")
    check = command("doctor", _doctor, "Check the deployment: each fault with its mend.")
    check.add_argument("--json", action="store_true", help="for a program: one JSON object")
    backup = command("backup", _backup, "Save all that there is to one file, while it is served.")
    backup.add_argument("file", metavar="FILE", help="- for standard output")
    backup.add_argument("--force", action="store_true", help="replace FILE, whatever it holds")
    back = command("restore", _restore, "Go back to a backup; every client loads afresh.")
    what = back.add_mutually_exclusive_group(required=True)
    what.add_argument("file", metavar="FILE", nargs="?", help="- for standard input")
    what.add_argument(
        "--mark", action="store_true", help="after a restore by the database's own means: only that"
    )
    back.add_argument("--force", action="store_true", help="replace an installation in use unasked")
    commands.add_parser("manage", help="Run a management command of Django.")
    return parser


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; ports are 0 to 65535")
    return int(text)


def _serve(options: argparse.Namespace) -> int:
    if not options.host:
        raise SettingsError("--host names no host")
    _use_data(options)
    # By the environment the workers learn of it too.
    os.environ["TERTULIA_HOST"] = options.host
    os.environ["TERTULIA_OPEN"] = "1" if options.open else "0"
    if options.workers is not None:
        os.environ["TERTULIA_WORKERS"] = str(parse_workers(options.workers, "--workers"))
    from tertulia.project.serving import serve

    return serve(read(), options.host, options.port)


def _createuser(options: argparse.Namespace) -> int:
    _use_data(options)
    from tertulia.project.people import createuser

    return createuser(read(), options.name, options.admin, options.password_stdin)


def _token(options: argparse.Namespace) -> int:
    _use_data(options)
    from tertulia.project.people import token

    return token(read(), options.name)


def _migrate(options: argparse.Namespace) -> int:
    _use_data(options)
    from tertulia.project import startup

    startup.prepare(read(), verbosity=1)
    return 0


def _doctor(options: argparse.Namespace) -> int:
    _use_data(options)
    from tertulia.project.doctor import doctor

    return doctor(read(), as_json=options.json)


def _backup(options: argparse.Namespace) -> int:
    _use_data(options)
    from tertulia.project import backup

    return _carried_out(lambda: backup.save(read(), options.file, force=options.force))


def _restore(options: argparse.Namespace) -> int:
    _use_data(options)
    from tertulia.project import backup

    if options.mark:
        return _carried_out(lambda: backup.mark(read()))
    return _carried_out(lambda: backup.restore(read(), options.file, force=options.force))


def _carried_out(act: Callable[[], int]) -> int:
    """Its status; what fails on the way is one line and exit status 1."""
    from tertulia.project.backup import BackupError

    try:
        return act()
    except BackupError as error:
        line = " ".join(str(error).split())
        print(f"tertulia: {line}", file=sys.stderr)
        return FAILED


def _manage(words: list[str]) -> int:
    """Any management command; `runserver` serves sockets too, by daphne."""
    if words[:1] == ["runserver"]:
        os.environ["TERTULIA_RUNSERVER"] = "1"
    env = read()
    if env.runserver:
        need("daphne", "daphne", "runserver")
    from tertulia.project import startup

    startup.load(env, pool=env.runserver)
    from django.core.management import ManagementUtility, get_commands
    from django.db import OperationalError

    if words and not words[0].startswith("-") and words[0] not in ("help", *get_commands()):
        raise SettingsError(f"{words[0]!r} is no management command (see tertulia manage help)")
    try:
        ManagementUtility(["tertulia manage", *words]).execute()
    except OperationalError as error:
        if "--traceback" in words:
            raise
        raise startup.database_refused(env, error) from error
    return 0


def _use_data(options: argparse.Namespace) -> None:
    # Absolute, since a worker or a command may come to stand elsewhere.
    folder = options.data or os.environ.get("TERTULIA_DATA") or "tertulia-data"
    os.environ["TERTULIA_DATA"] = str(Path(folder).absolute())


if __name__ == "__main__":
    sys.exit(main())
