"""`/metrics`: what the parts count, read off when Prometheus asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Reader = Callable[[], Mapping[str, float]]


class Readings(Collector):
    """Families that are read off, each with one label. Nothing is kept here."""

    def __init__(self) -> None:
        self._families: list[tuple[type[CounterMetricFamily] | type[GaugeMetricFamily], str, str, str, Reader]] = []

    def counter(self, name: str, text: str, label: str, read: Reader) -> None:
        self._families.append((CounterMetricFamily, name, text, label, read))

    def gauge(self, name: str, text: str, label: str, read: Reader) -> None:
        self._families.append((GaugeMetricFamily, name, text, label, read))

    def collect(self) -> Iterator[Metric]:
        for family, name, text, label, read in self._families:
            metric = family(f"mixdown_{name}", text, labels=[label])
            for value, count in sorted(read().items()):
                metric.add_metric([value], count)
            yield metric


def new_registry(readings: Readings) -> CollectorRegistry:
    """A registry of its own, so that two apps in one process do not meet."""
    registry = CollectorRegistry()
    registry.register(readings)
    return registry


def render(registry: CollectorRegistry) -> bytes:
    return generate_latest(registry)
