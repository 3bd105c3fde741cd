"""/metrics as a scraper reads it."""

from __future__ import annotations

import urllib.request

from prometheus_client.parser import text_string_to_metric_families

from tertulia.testing.server import Server

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Scrape:
    """One answer. `scrape("deliveries_total")`, `scrape("commands_total", outcome="ok")`: the
    sum over all samples of `tertulia_NAME` with these labels; with `worker`, that worker's."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.types: dict[str, str] = {}
        self.help: dict[str, str] = {}
        self.samples: Samples = {}
        for family in text_string_to_metric_families(text):
            name = family.name + ("_total" if family.type == "counter" else "")
            assert name not in self.types, f"{name} comes twice"
            self.types[name] = family.type
            self.help[name] = family.documentation
            for sample in family.samples:
                key = (sample.name, frozenset(sample.labels.items()))
                assert key not in self.samples, f"{key} comes twice"
                self.samples[key] = sample.value

    @classmethod
    def of(cls, server: Server) -> Scrape:
        """A new connection, so with several workers any of them answers."""
        with urllib.request.urlopen(server.url + "/metrics", timeout=10) as answer:
            return cls(answer.read().decode())

    def __call__(self, name: str, **labels: str) -> float:
        full = f"tertulia_{'worker_' if 'worker' in labels else ''}{name}"
        wanted = frozenset(labels.items())
        found = [v for (key, has), v in self.samples.items() if key == full and wanted <= has]
        assert found or labels, f"no {full} in the answer"
        return sum(found)

    @property
    def workers(self) -> set[str]:
        """Every value of the label."""
        return {value for _, labels in self.samples for key, value in labels if key == "worker"}
