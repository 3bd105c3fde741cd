"""`manage rebuild_search`: for an index that is damaged, or has lost a trigger."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from tertulia.support.search.index import rebuild


class Command(BaseCommand):
    """Makes what conversations are found by anew, out of what was said. Servers may go on."""

    help = "Make the support desk's search index anew."

    def handle(self, *args: Any, **options: Any) -> None:
        rows = rebuild(connection)
        self.stdout.write(f"The search index is new: {rows} texts.")
