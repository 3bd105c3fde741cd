"""What a server tells of itself by /metrics."""

from __future__ import annotations

import re
import urllib.request

from .server import Server


class Metrics:
    """`/metrics` of a server at one moment: `metrics("outbox_bytes")` sums over all labels."""

    def __init__(self, text: str) -> None:
        self.text = text

    @classmethod
    def of(cls, server: Server, seconds: float = 10) -> Metrics:
        """With several workers, the sum over them. OSError where it does not answer in time."""
        with urllib.request.urlopen(server.url + "/metrics", timeout=seconds) as answer:
            return cls(answer.read().decode())

    def __call__(self, name: str, **labels: str) -> float:
        """The sum of the samples of `tertulia_NAME` that have these labels; 0.0 without any."""
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        return sum(
            float(value)
            for has, value in re.findall(rf"^tertulia_{name}(?:{{(.*)}})? (\S+)$", self.text, re.M)
            if all(label in has.split(",") for label in wanted)
        )
