"""Counters and times of a service, for Prometheus."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """What is counted, by names that no client chooses."""

    def __init__(self) -> None:
        # A line for each counter that says when it began.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.requests = self._counter("requests", "Requests answered", "path", "status")
        self.request_seconds = self._histogram("request", "From first byte to answer", "path")
        self.steps = self._histogram("step", "upload, wait, read, look (reading too)", "step")
        self.photos = self._counter("photos", "Photos looked at, by result", "result")
        self.rejected = self._counter("rejected", "Requests refused, by reason", "reason")
        self.models = self._counter("model_loads", "New models, by result", "result")
        self.queue = self._gauge("queue", "Requests looked at, or waiting for it")
        self.upload_bytes = self._gauge("upload_bytes", "Uploads in memory")

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        """A number that grows."""
        return Counter(f"dminity_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        """A number that grows and shrinks."""
        return Gauge(f"dminity_{name}", text, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        """Seconds, in buckets."""
        return Histogram(
            f"dminity_{name}_seconds", text, labels, buckets=SECONDS, registry=self.registry
        )

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step of the work on a request."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.steps.labels(name).observe(time.perf_counter() - start)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self.registry)
