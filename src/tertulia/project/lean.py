"""What a browser need not be sent of the page's modules: their comments.

The modules are written to be read and go out as they are written, with no build between. Half
of their bytes are comments, though, and small files compress badly; without the comments the
first load is a third smaller.
"""

from __future__ import annotations

import re
from pathlib import Path

import tertulia

_OURS = Path(tertulia.__file__).parent
# Comments of JSDoc wherever they stand, others where they have a line of their own: elsewhere
# `//` may be part of an address. None of the modules has a text with `/**` in it.
_COMMENT = re.compile(r"/\*\*(?:(?!\*/).)*\*/|^[ \t]*//[^\n]*$", re.MULTILINE | re.DOTALL)


def is_ours(path: Path) -> bool:
    """Whether a static file is a module of this package, and not one that it has from others."""
    return path.suffix == ".js" and path.is_relative_to(_OURS) and "vendor" not in path.parts


def without_comments(source: str) -> str:
    """The same program, each statement on the line where it was."""
    return _COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), source)
