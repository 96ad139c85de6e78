"""The house over HTTP: its health, its models, and figures for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from clients.api.answers import document
from clients.api.served import ask, served
from clients.supervisor import with_supervisor
from protocol import PROTOCOL_VERSION
from protocol.errors import NotRunningError
from protocol.messages import HealthQuery, HealthReport

__all__ = ["health", "metrics", "models", "robots"]


async def health(request: Request) -> Response:
    """Return what `cpw health --json` says: 200 where all is well, else 503."""
    try:
        found: HealthReport = await ask(request, HealthQuery())
    except NotRunningError as problem:
        found_nothing = {"healthy": False, "problem": problem.message, "remedy": problem.remedy}
        return document(found_nothing, 503)
    told = await run_in_threadpool(with_supervisor, served(request).desk, found)
    return document(vars(told), 200 if told.healthy else 503)


async def models(request: Request) -> Response:
    """Return the models that are in memory, with how much they take, by environment."""
    found: HealthReport = await ask(request, HealthQuery())
    loaded = [
        {"environment": worker.environment, "worker": worker.worker, **vars(model), "model": model.model}
        for worker in found.environments
        for model in worker.models
    ]
    return document({"models": loaded})


async def robots(request: Request) -> Response:
    """Return that nothing here is to be indexed."""
    del request
    return Response("User-agent: *\nDisallow: /\n", media_type="text/plain")


async def metrics(request: Request) -> Response:
    """Return the figures in the format of Prometheus or OpenMetrics."""
    found: HealthReport = await ask(request, HealthQuery())
    registry = CollectorRegistry()
    registry.register(_House(found))
    encode, kind = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(registry), media_type=None, headers={"Content-Type": kind})


class _House(Collector):
    """Figures of one answer of the coordinator: they cannot drift from what it says."""

    def __init__(self, report: HealthReport) -> None:
        self._report = report

    def describe(self) -> Iterable[Metric]:
        """Return nothing: else a registration asks for the figures."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Yield the figures, in base units."""
        found = self._report
        yield InfoMetricFamily("cpw", "This program.", value={"wire_version": str(PROTOCOL_VERSION)})
        yield GaugeMetricFamily("cpw_healthy", "Whether all is well.", value=float(found.healthy))
        yield GaugeMetricFamily(
            "cpw_uptime_seconds", "Since the coordinator's start.", found.uptime_ms / 1000
        )
        jobs = GaugeMetricFamily("cpw_jobs", "Jobs that have not ended.", labels=["state"])
        for state, count in (
            ("running", found.jobs_running),
            ("queued", found.jobs_queued),
            ("held", found.jobs_held),
        ):
            jobs.add_metric([state], count)
        yield jobs
        disk = GaugeMetricFamily("cpw_disk_free_bytes", "Free space.", labels=["place"])
        disk.add_metric(["state"], found.free_disk_bytes)
        yield disk
        yield from self._workers()

    def _workers(self) -> Iterable[Metric]:
        labels = ["worker"]
        up = GaugeMetricFamily("cpw_worker_up", "Whether it can be given calls.", labels=["worker", "state"])
        memory = GaugeMetricFamily("cpw_worker_resident_bytes", "Its memory.", labels=labels)
        restarts = CounterMetricFamily("cpw_worker_restarts", "Its starts after the first.", labels=labels)
        calls = CounterMetricFamily("cpw_worker_calls", "Calls that its process has done.", labels=labels)
        echo = GaugeMetricFamily("cpw_worker_last_echo_seconds", "Age of its last echo.", labels=labels)
        loaded = GaugeMetricFamily(
            "cpw_model_loaded", "Bytes of a model.", labels=["worker", "model", "device"]
        )
        for worker in self._report.environments:
            if not worker.built:
                continue
            name = worker.worker or worker.environment
            up.add_metric([name, worker.state], float(worker.usable))
            memory.add_metric([name], worker.rss_bytes)
            restarts.add_metric([name], worker.restarts)
            calls.add_metric([name], worker.calls_done)
            if worker.echo_ms is not None:
                echo.add_metric([name], worker.echo_ms / 1000)
            for model in worker.models:
                loaded.add_metric([name, model.model, model.device], model.bytes)
        yield from (up, memory, restarts, calls, echo, loaded)
