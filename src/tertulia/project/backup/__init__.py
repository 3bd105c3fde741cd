"""`tertulia backup` and `tertulia restore`: all that an installation knows, in one file.

The file holds rows, not pages of a database: so it needs no program of PostgreSQL's, does not care
which version made it, and what was saved from SQLite can be restored into PostgreSQL.
"""

from .archive import BackupError
from .restore import mark, restore
from .save import save

__all__ = ["BackupError", "mark", "restore", "save"]
