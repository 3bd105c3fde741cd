"""What was found, one line each."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal

from tertulia.project.logs import cleaned, escaped

Mark = Literal["ok", "warning", "fault"]


@dataclass(frozen=True)
class Finding:
    """`mend` is what to do; empty where all is well."""

    mark: Mark
    text: str
    mend: str = ""


class Report:
    """Findings in the order in which they were made."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def ok(self, text: str) -> None:
        """This is as it should be."""
        self._add("ok", text)

    def warn(self, text: str, mend: str) -> None:
        """Nothing is lost by it and nobody gets in, but it should be known."""
        self._add("warning", text, mend)

    def fault(self, text: str, mend: str) -> None:
        """It loses data or lets somebody in, or hides whether something does."""
        self._add("fault", text, mend)

    def _add(self, mark: Mark, text: str, mend: str = "") -> None:
        self.findings.append(Finding(mark, cleaned(text), escaped(mend)))

    @property
    def status(self) -> int:
        """The exit status."""
        return int(any(finding.mark == "fault" for finding in self.findings))

    def as_text(self) -> str:
        """A line for each finding, and the sum."""
        lines = [
            f"{each.mark:8} {each.text}{'. Mend: ' + each.mend if each.mend else ''}"
            for each in self.findings
        ]
        counts = [
            _several(sum(each.mark == mark for each in self.findings), mark)
            for mark in ("fault", "warning")
        ]
        return "\n".join([*lines, f"{', '.join(counts)}."])

    def as_json(self) -> str:
        """The same for a program."""
        return json.dumps({"status": self.status, "findings": list(map(asdict, self.findings))})


def _several(count: int, what: str) -> str:
    return f"{count or 'no'} {what}{'' if count == 1 else 's'}"
