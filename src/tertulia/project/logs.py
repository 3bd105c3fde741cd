"""How the log looks: one line an entry, as text or JSON, with nothing secret in it."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

# Addresses that carry a one-time token. It must not be found in a log.
_TOKENS = re.compile(
    r"(/accounts/setup/|/accounts/reset/[^/\s]+/|/-/invitation/|[?&]invite=)[^/\s&\"']+"
)
# C0, C1, DEL, line and paragraph separators, and what turns the direction of text.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def logging_config(style: str) -> dict[str, Any]:
    """Django's LOGGING: everything to standard error, in `text` or `json`."""
    formatter = {"text": TextFormatter, "json": JsonFormatter}[style]
    quiet: dict[str, Any] = {"level": "WARNING", "handlers": [], "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
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
            "uvicorn.access": {**quiet},
            # Lines and tracebacks every second while the database or Redis is away; whoever
            # needed them says so once.
            "psycopg.pool": {"level": "ERROR"},
            "channels_redis": {"level": "CRITICAL"},
        },
    }


def cleaned(text: str) -> str:
    """The text without tokens and with control characters escaped, so that nobody forges a line."""
    return _CONTROL.sub(_escape, _TOKENS.sub(r"\1…", text))


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def _when(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class TextFormatter(logging.Formatter):
    """`2026-11-21T07:52:01.123Z WARNING tertulia.hub: text`, tracebacks indented below."""

    def format(self, record: logging.LogRecord) -> str:
        """One entry; never raises for a strange message."""
        text = cleaned(record.getMessage().rstrip())
        line = f"{_when(record)} {record.levelname} {record.name}: {text}"
        if record.exc_info:
            traceback = self.formatException(record.exc_info)
            line += "".join(f"\n    {cleaned(part)}" for part in traceback.splitlines())
        return line


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `time`, `level`, `logger`, `message`, and `traceback` if any."""

    def format(self, record: logging.LogRecord) -> str:
        """One entry."""
        entry = {
            "time": _when(record),
            "level": record.levelname,
            "logger": record.name,
            "message": cleaned(record.getMessage().rstrip()),
        }
        if record.exc_info:
            entry["traceback"] = _TOKENS.sub(r"\1…", self.formatException(record.exc_info))
        return json.dumps(entry)
