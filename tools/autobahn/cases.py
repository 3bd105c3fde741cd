"""Reads the cases of the Autobahn test suite, which are written in Python 2, under Python 3.

Only the case files are read (`autobahntestsuite/case/*.py`): what is sent, what is expected, and
how an outcome is judged. The suite's runner is Python 2 through and through and stays unused;
`fuzzer.py` is in its place.

Three things make the difference. A `str` of Python 2 holds bytes: here it is a `str` of the same
256 values (Latin-1), and `fuzzer.py` turns it into bytes and back at the socket. What a module
finds among its builtins is Python 2's, so far as the cases use it, and `import` finds its
neighbours. Print statements, which only stand in the suite's own self-tests, are left out.
"""

from __future__ import annotations

import ast
import binascii
import builtins
import re
from importlib.metadata import distribution
from pathlib import Path
from types import ModuleType
from typing import Any

from autobahn.websocket import compress
from autobahn.websocket.utf8validator import Utf8Validator

SUITE = distribution("autobahntestsuite")
# Not imported to find it: that would run the suite's Python 2.
FOLDER = Path(str(SUITE.locate_file("autobahntestsuite")))
_PRINT = re.compile(r"^(\s*)print\b.*$", re.MULTILINE)


def as_bytes(text: str | bytes) -> bytes:
    """What Python 2 would have on the wire."""
    return text if isinstance(text, bytes) else text.encode("latin-1")


def as_text(data: bytes) -> str:
    """The same the other way round, for the cases to compare."""
    return data.decode("latin-1")


class _Validator(Utf8Validator):  # type: ignore[misc]
    def validate(self, text: str) -> Any:
        return super().validate(as_bytes(text))


class _Offer(compress.PerMessageDeflateOffer):  # type: ignore[misc]
    """An offer of compression with the names that its parts had then."""

    def __init__(
        self, requestNoContextTakeover: bool = False, requestMaxWindowBits: int = 0
    ) -> None:
        self.requestNoContextTakeover = requestNoContextTakeover
        self.requestMaxWindowBits = requestMaxWindowBits
        super().__init__(
            request_no_context_takeover=requestNoContextTakeover,
            request_max_window_bits=requestMaxWindowBits,
        )


class _Object:
    """`object` as the first of several bases was allowed by classic classes."""


class _WholeDivision(ast.NodeTransformer):
    """`/` between whole numbers; the cases divide no others."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Div):
            node.op = ast.FloorDiv()
        return node


def _module(name: str, **contents: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(contents)
    return module


# What the cases import and what is otherwise than in Python 2.
_REPLACED = {
    "autobahn.websocket.compress": _module(
        "compress",
        PerMessageDeflateOffer=_Offer,
        PerMessageDeflateResponse=compress.PerMessageDeflateResponse,
        PerMessageDeflateResponseAccept=compress.PerMessageDeflateResponseAccept,
    ),
    "autobahn.websocket.utf8validator": _module("utf8validator", Utf8Validator=_Validator),
    "binascii": _module(
        "binascii",
        b2a_hex=lambda text: as_text(binascii.b2a_hex(as_bytes(text))),
        hexlify=lambda text: as_text(binascii.hexlify(as_bytes(text))),
    ),
    "pkg_resources": _module(
        "pkg_resources", resource_filename=lambda package, name: str(FOLDER / name)
    ),
    # A case that the suite itself does not run, and which needs Twisted.
    "case9_9_1": _module("case9_9_1"),
}


class _Modules:
    """The modules of one folder, as Python 2 would import them from within it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaded = dict(_REPLACED)
        self._builtins = {
            **vars(builtins),
            "__import__": self._import,
            "object": _Object,
            "xrange": range,
        }

    def _import(
        self, name: str, globals: Any = None, locals: Any = None, names: Any = (), level: int = 0
    ) -> Any:
        if name in self._loaded or self._path(name).is_file():
            return self.load(name)
        return builtins.__import__(name, globals, locals, names, level)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.py"

    def load(self, name: str) -> ModuleType:
        if name not in self._loaded:
            path = self._path(name)
            tree = ast.parse(_PRINT.sub(r"\1pass", path.read_text("latin-1")), str(path))
            code = compile(_WholeDivision().visit(tree), str(path), "exec")
            module = self._loaded[name] = _module(name, __builtins__=self._builtins)
            exec(code, vars(module))  # noqa: S102 - the pinned suite, checked by its hash
        return self._loaded[name]


def load_cases() -> dict[str, type[Any]]:
    """The case classes by id (`"6.4.1"`), in the suite's order."""
    modules = _Modules(FOLDER / "case")
    case = modules.load("case").Case
    # The suite compares pickles, which under Python 3 also tell whether two equal texts are one.
    case.compare = lambda self, one, other: one == other
    classes = modules.load("__init__").Cases
    return {each.__name__.removeprefix("Case").replace("_", "."): each for each in classes}
