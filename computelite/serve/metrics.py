"""Prometheus metrics: the workers' shared numbers, and how the cloud is."""

from __future__ import annotations

from collections.abc import Iterable

from computelite.cloud import Health
from computelite.serve.requests import Requests
from computelite.serve.slots import Counter, Slots

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def metrics_text(slots: Slots, requests: Requests, health: Health) -> bytes:
    """Return the page. Any worker gives the same numbers: they are everybody's."""
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
    from prometheus_client.registry import Collector

    class Numbers(Collector):
        def collect(self) -> Iterable[Metric]:
            for name, kind, counter, what in (
                ("open", GaugeMetricFamily, Counter.OPEN, "S3 connections now"),
                ("accepted", CounterMetricFamily, Counter.ACCEPTED, "S3 connections ever"),
                ("refused", CounterMetricFamily, Counter.REFUSED, "turned away at the limit"),
            ):
                yield kind(f"cumulog_connections_{name}", what, slots.total(counter))
            answered = CounterMetricFamily(
                "cumulog_requests", "requests ever, as answered", labels=["protocol", "status"]
            )
            for protocol, status, count in requests.totals():
                answered.add_metric([protocol, str(status)], count)
            yield answered
            yield GaugeMetricFamily("cumulog_log_position", "Last position", health.position)
            yield GaugeMetricFamily(
                "cumulog_serving", "1 while objects can be written", int(health.serving)
            )
            state = GaugeMetricFamily("cumulog_device_up", "1 while in use", labels=["device"])
            free = GaugeMetricFamily("cumulog_device_free_bytes", "Free", labels=["device"])
            size = GaugeMetricFamily("cumulog_device_size_bytes", "Size", labels=["device"])
            for device in health.devices:
                label = [str(device.id)]
                state.add_metric(label, int(device.state == "ok"))
                free.add_metric(label, device.free)
                size.add_metric(label, device.total)
            yield from (state, free, size)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Numbers())
    return generate_latest(registry)
