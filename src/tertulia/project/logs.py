"""How the log looks: one line an entry, as text or JSON, with nothing secret in it.

What comes from outside may stand in an entry (a path, a name), so whatever cannot be printed is
escaped: nobody forges a line, colours a terminal or turns the text around. What people write to
each other, passwords and tokens are kept out by those who log, and the known places where they
would slip in are blanked here.
"""

from __future__ import annotations

import json
import logging
import logging.config
import os
import re
import sys
import threading
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from . import place

_BLANKED = (
    # Addresses that carry a one-time token.
    (
        re.compile(
            r"(/accounts/setup/|/accounts/reset/[^/\s]+/|/-/invitation/|/-/no-mail/|[?&]invite=)"
            r"[^/\s&\"']+"
        ),
        r"\1…",
    ),
    # What clients send along, wherever it comes from.
    (re.compile(r"(?i)\b(bearer\s+)[^\s\"',;]+"), r"\1…"),
    (
        re.compile(
            r"(?i)\b((?:sessionid|csrftoken|csrfmiddlewaretoken|(?:guest_)?token|password|secret)"
            r"[\"']?\s*[=:]\s*[\"']?)[^\s\"'&;,)]+"
        ),
        r"\1…",
    ),
    # The password in an address.
    (re.compile(r"(://[^/\s:@]*:)[^@\s/]+@"), r"\1…@"),
)
# PostgreSQL repeats values behind these: of the row that failed, and of the statement.
_REPEATED = re.compile(r"\n\s*(?:DETAIL|CONTEXT|LINE \d+|QUERY|STATEMENT):")
# What may stand beside the message, in this order.
FIELDS = ("worker", "room", "participant")


def logging_config(style: str) -> dict[str, Any]:
    """Django's LOGGING: everything to standard error, in `text` or `json`."""
    formatter = {"text": TextFormatter, "json": JsonFormatter}[style]
    quiet: dict[str, Any] = {"level": "WARNING", "handlers": [], "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter}},
        "handlers": {"stderr": {"()": LineHandler, "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "tertulia": {"level": "INFO"},
            "django": {**quiet},
            # What visitors get wrong (404, 403 …) is no concern of the operator's.
            "django.request": {"level": "ERROR"},
            "django.security": {"level": "CRITICAL"},
            "django.server": {**quiet, "level": "INFO"},
            "django.channels.server": {"level": "INFO"},
            "uvicorn": {**quiet},
            "uvicorn.error": {**quiet, "level": "NOTSET"},
            "uvicorn.access": {**quiet},
            "daphne.access": {"level": "INFO"},
            # Lines and tracebacks every second while the database or Redis is away; whoever
            # needed them says so once.
            "psycopg.pool": {"level": "ERROR"},
            "channels_redis": {"level": "CRITICAL"},
        },
    }


def install(style: str | None = None, *, hooks: bool = True) -> None:
    """From here on all that this process has to say goes through the log: Python's warnings
    too, and with `hooks` errors that nobody caught.

    `style` None: as the environment says, which nobody may have looked at yet.
    """
    if style is None:
        style = "json" if os.environ.get("TERTULIA_LOG", "").strip() == "json" else "text"
    logging.config.dictConfig(logging_config(style))
    logging.captureWarnings(True)
    if not hooks:
        return
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable
    if "daphne.access" in sys.modules:
        # daphne writes its access log past logging.
        sys.modules["daphne.access"].AccessLogGenerator.write_entry = _daphne_entry


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("tertulia").critical("Nobody caught this", exc_info=(kind, error, trace))


def _uncaught_in_thread(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is not None and told.exc_type is not SystemExit:
        logging.getLogger("tertulia").critical(
            "Nobody caught this, in the thread %s",
            told.thread.name if told.thread else "?",
            exc_info=(told.exc_type, told.exc_value, told.exc_traceback),
        )


def _unraisable(told: Any) -> None:
    logging.getLogger("tertulia").error(
        "%s: %r",
        told.err_msg or "Exception ignored",
        type(told.object).__name__,
        exc_info=(told.exc_type, told.exc_value, told.exc_traceback),
    )


def _daphne_entry(self: Any, host: str, date: object, request: str, **more: Any) -> None:
    logging.getLogger("daphne.access").info(
        '%s "%s" %s %s', host, request, more.get("status") or "-", more.get("length") or "-"
    )


def cleaned(text: str) -> str:
    """The text without secrets, on one line, with all that cannot be printed escaped."""
    return blanked(escaped(_cut(text)))


def _cut(text: str) -> str:
    first, *rest = _REPEATED.split(text, maxsplit=1)
    return f"{first} …" if rest else text


def blanked(text: str) -> str:
    """The text with … in place of what must not be read."""
    for pattern, rest in _BLANKED:
        text = pattern.sub(rest, text)
    return text


def escaped(text: str) -> str:
    """Control characters, line ends, bidi and other invisible ones, lone surrogates: as \\u…."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else _escape(ord(each)) for each in text)


def _escape(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _when(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fields(record: logging.LogRecord) -> dict[str, int | str]:
    """What is known of where it happened; `worker` only where there are several."""
    known: dict[str, int | str] = {}
    here = place.mine()
    if here.folder is not None:
        known["worker"] = here.number
    asks = getattr(getattr(record, "request", None), "_tertulia_me", None)
    if asks is not None:
        known["participant"] = str(asks.public_id)
    for name in ("room", "participant"):
        value = getattr(record, name, None)
        if isinstance(value, int | str):
            known[name] = escaped(value) if isinstance(value, str) else value
    return {name: known[name] for name in FIELDS if name in known}


def _traceback(record: logging.LogRecord) -> list[str]:
    text = ""
    if record.exc_info and record.exc_info[1] is not None:
        told = traceback.TracebackException.from_exception(record.exc_info[1], compact=True)
        _cut_messages(told)
        text = "".join(told.format())
    if record.stack_info:
        text += record.stack_info
    return [blanked(escaped(line)) for line in text.rstrip("\n").split("\n")] if text else []


def _cut_messages(told: traceback.TracebackException | None) -> None:
    """Each message of the chain by itself: what is behind it can look like anything."""
    if told is None:
        return
    told._str = _cut(str(told))  # type: ignore[attr-defined]
    for each in (told.__cause__, told.__context__, *(told.exceptions or ())):
        _cut_messages(each)


class TextFormatter(logging.Formatter):
    """`2026-11-21T07:52:01.123Z WARNING tertulia.hub: text [worker 1, room 7]`, tracebacks
    indented below."""

    def format(self, record: logging.LogRecord) -> str:
        """One entry; never raises for a strange message."""
        line = f"{_when(record)} {record.levelname} {record.name}: {_message(record)}"
        if known := _fields(record):
            line += f" [{', '.join(f'{name} {value}' for name, value in known.items())}]"
        return "\n    ".join([line, *_traceback(record)])


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `time`, `level`, `logger`, `message`; `worker`, `room`,
    `participant` and `traceback` where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """One entry."""
        entry: dict[str, Any] = {
            "time": _when(record),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
            **_fields(record),
        }
        if trace := _traceback(record):
            entry["traceback"] = "\n".join(trace)
        return json.dumps(entry)


def _message(record: logging.LogRecord) -> str:
    try:
        text = record.getMessage()
    except Exception as error:  # noqa: BLE001 - a mistake in a call must not cost the entry
        text = f"{record.msg} (its arguments do not fit: {type(error).__name__})"
    return cleaned(text.rstrip())


class LineHandler(logging.StreamHandler[Any]):
    """To standard error as it is when the entry comes; an entry that fails is an entry, too."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)

    def handleError(self, record: logging.LogRecord) -> None:
        """Nothing is printed past the format. A standard error that is closed is nobody's ear."""
