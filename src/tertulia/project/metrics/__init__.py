"""`/metrics`: what the server does, as Prometheus text, by worker and summed."""

from .page import with_metrics

__all__ = ["with_metrics"]
