"""compose.yml as `docker compose` reads it, for running its services by hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


def settings(text: str) -> dict[str, str]:
    """The variables of an env file."""
    lines = [line.strip() for line in text.splitlines()]
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {name: value for name, _, value in pairs}


def read(path: Path, env: dict[str, str] | None = None) -> dict[str, Any]:
    """The file with its variables filled in, as from .env."""
    given = env or {}

    def value(match: re.Match[str]) -> str:
        name, default = match.groups()
        assert default is not None, f"{name} has no default: `docker compose up` would warn"
        return given.get(name) or str(default)

    def filled(node: Any) -> Any:
        # After the YAML, as compose has it: a variable that is blank is a blank text.
        if isinstance(node, dict):
            return {name: filled(each) for name, each in node.items()}
        if isinstance(node, list):
            return [filled(each) for each in node]
        return _VARIABLE.sub(value, node) if isinstance(node, str) else node

    found: dict[str, Any] = filled(yaml.safe_load(path.read_text()))
    return found


def health_command(service: dict[str, Any]) -> list[str]:
    """The words of a health check, which no shell stands before."""
    kind, *words = service["healthcheck"]["test"]
    assert kind == "CMD"
    return [str(word) for word in words]
