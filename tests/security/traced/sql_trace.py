"""An app that writes down every statement which SQLite carries out, one a line, in any thread.

Django's own log of queries knows nothing of those that go past its cursors.
"""

import os
from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class SqlTrace(AppConfig):
    name = "sql_trace"

    def ready(self) -> None:
        path = os.environ["TRACE"]
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        connection_created.connect(self.trace, weak=False)

    def trace(self, connection: Any, **kwargs: Any) -> None:
        connection.connection.set_trace_callback(self.write)

    def write(self, statement: str) -> None:
        os.write(self.file, " ".join(statement.split()).encode() + b"\n")
