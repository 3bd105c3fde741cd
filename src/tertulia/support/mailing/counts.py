"""What became of the mails to visitors, for the metrics of this process."""

from __future__ import annotations

from collections import Counter

OUTCOMES = ("sent", "later", "failed")
outcomes: Counter[str] = Counter()
