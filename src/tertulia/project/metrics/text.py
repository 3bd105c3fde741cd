"""The values of all workers as Prometheus text, format 0.0.4."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from prometheus_client import generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.utils import floatToGoString

from .families import FAMILIES, PREFIX, WORKER_PREFIX, Family
from .values import Values, together

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class _Workers:
    """What prometheus_client asks for its metrics."""

    def __init__(self, workers: dict[int, Values]) -> None:
        self._workers = workers

    def collect(self) -> Iterator[Metric]:
        for family in FAMILIES:
            some = {
                number: values[family.name]
                for number, values in self._workers.items()
                if family.name in values
            }
            if not some:
                continue
            yield _metric(PREFIX, family, family.help, [((), together(family, some.values()))])
            yield _metric(
                *(WORKER_PREFIX, family, f"By worker: {family.help}"),
                [((str(number),), values) for number, values in some.items()],
            )


def render(workers: dict[int, Values]) -> bytes:
    """The whole page."""
    return generate_latest(_Workers(workers))


def _metric(prefix: str, family: Family, text: str, parts: list[tuple[Any, Any]]) -> Metric:
    name = prefix + family.name
    labels = [*(["worker"] if prefix == WORKER_PREFIX else []), *family.labels]
    metric: Any
    if family.kind == "histogram":
        metric = HistogramMetricFamily(name, text, labels=labels)
    elif family.kind == "counter":
        metric = CounterMetricFamily(name, text, labels=labels)
    else:
        metric = GaugeMetricFamily(name, text, labels=labels)
    for first, values in parts:
        for rest, value in values.items():
            if family.kind == "histogram":
                metric.add_metric([*first, *rest], _buckets(family, value[0]), value[1])
            else:
                metric.add_metric([*first, *rest], value)
    return metric


def _buckets(family: Family, counts: list[int]) -> list[tuple[str, float]]:
    bounds = [*map(floatToGoString, family.bounds), "+Inf"]
    return list(zip(bounds, accumulate(counts), strict=True))
