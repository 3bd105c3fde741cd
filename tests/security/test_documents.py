"""What is written of the attacks is true: the matrix is the one that is tried, the tests exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from .reference import document, main

ROOT = Path(__file__).parents[2]
README = Path(__file__).with_name("README.md").read_text()
MATRIX = ROOT / "docs" / "authorisation.md"
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", README)))
STATEMENTS = [*range(1, 11), *range(12, 18), 23, 24, 25, 26]


def test_the_matrix_is_current() -> None:
    assert MATRIX.read_text() == document()


def test_a_stale_matrix_is_found_and_mended(tmp_path: Path) -> None:
    copy = tmp_path / "authorisation.md"
    copy.write_text(MATRIX.read_text().replace("forbidden", "yes", 1))
    assert main(["--check", str(copy)]) == 1
    assert main([str(copy)]) == 0
    assert main(["--check", str(copy)]) == 0
    assert main(["--check", str(tmp_path / "none.md")]) == 1
    assert main([]) == 2


def test_every_statement_has_its_line() -> None:
    assert [int(number) for number in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)] == (
        STATEMENTS
    )


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_named_test_exists(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text())
    defined = {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert name in defined
