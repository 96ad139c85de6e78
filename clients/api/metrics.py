"""Figures for Prometheus: one answer of the coordinator, in base units; no job and no film is named."""

from __future__ import annotations

import itertools
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from clients.api.served import ask, served
from envspecs.layout import models_directory
from protocol import PROTOCOL_VERSION
from protocol.cluster.health import NodeHealth
from protocol.jobs.figures import TOOK_S
from protocol.messages import EnvironmentHealth, FiguresQuery, FiguresReport

__all__ = ["exposition", "metrics"]


async def metrics(request: Request) -> Response:
    """Return the figures in the format of Prometheus or OpenMetrics."""
    found: FiguresReport = await ask(request, FiguresQuery())
    places = {"out": served(request).desk.out, "models": models_directory()}
    free = await run_in_threadpool(_free_bytes, places)
    text, kind = exposition(found, free, request.headers.get("accept", ""))
    return Response(text, media_type=None, headers={"Content-Type": kind})


def exposition(found: FiguresReport, free_bytes: Mapping[str, int], accept: str) -> tuple[bytes, str]:
    """Return the text in the format that `accept` asks for, and its media type.

    `free_bytes` is the room in places that the coordinator does not tell of.
    """
    registry = CollectorRegistry()
    registry.register(_House(found, free_bytes))
    encode, kind = choose_encoder(accept)
    return encode(registry), kind


def _free_bytes(places: Mapping[str, Path]) -> dict[str, int]:
    """Return the room in each of the places that are there."""
    return {name: shutil.disk_usage(path).free for name, path in places.items() if path.is_dir()}


def _version() -> str:
    try:
        return version("cpw")
    except PackageNotFoundError:
        return ""


class _House(Collector):
    """Figures of one answer of the coordinator: they cannot drift from what it says."""

    def __init__(self, found: FiguresReport, free_bytes: Mapping[str, int]) -> None:
        self._found = found
        self._free_bytes = free_bytes

    def describe(self) -> Iterable[Metric]:
        """Return nothing: else a registration asks for the figures."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield the figures."""
        yield from self._whole()
        yield from self._steps()
        yield from _nodes(self._found.health.nodes)
        yield from _workers([worker for worker in self._found.health.environments if worker.built])

    def _whole(self) -> Iterator[Metric]:
        health = self._found.health
        about = {"version": _version(), "wire_version": str(PROTOCOL_VERSION)}
        yield InfoMetricFamily("cpw", "This program.", value=about)
        yield GaugeMetricFamily("cpw_healthy", "Whether all is well.", value=float(health.healthy))
        uptime_s = health.uptime_ms / 1000
        yield GaugeMetricFamily("cpw_uptime_seconds", "Since the coordinator's start.", value=uptime_s)
        yield GaugeMetricFamily("cpw_cores", "What all calls together may keep busy.", value=health.cores)
        jobs = GaugeMetricFamily("cpw_jobs", "Jobs in the store.", labels=["state"])
        for state, count in self._found.jobs.items():
            jobs.add_metric([state], count)
        disk = GaugeMetricFamily("cpw_disk_free_bytes", "Room on the disk.", labels=["place"])
        for place, size in {"state": health.free_disk_bytes, **self._free_bytes}.items():
            disk.add_metric([place], size)
        changes = CounterMetricFamily(
            "cpw_store_changes", "Changes of jobs and steps.", value=self._found.revision
        )
        yield from (jobs, disk, changes)

    def _steps(self) -> Iterator[Metric]:
        kind = ["stage", "env"]
        ended = CounterMetricFamily("cpw_steps", "Steps that ended.", labels=[*kind, "outcome"])
        attempts = CounterMetricFamily("cpw_step_attempts", "Calls that ended.", labels=[*kind, "kind"])
        took = HistogramMetricFamily("cpw_step_seconds", "Time of calls that were done.", labels=kind)
        sound = CounterMetricFamily("cpw_media_seconds", "Sound that these calls worked on.", labels=kind)
        for step in self._found.steps:
            names = [step.stage, step.environment]
            for outcome, count in step.ended.items():
                ended.add_metric([*names, outcome], count)
            for end, count in step.attempts.items():
                attempts.add_metric([*names, end], count)
            limits = [*(f"{limit:.1f}" for limit in TOOK_S), "+Inf"]
            sums = [float(count) for count in itertools.accumulate(step.took)]
            took.add_metric(names, list(zip(limits, sums, strict=True)), step.took_ms / 1000)
            sound.add_metric(names, step.sound_ms / 1000)
        yield from (ended, attempts, took, sound)


def _nodes(nodes: Iterable[NodeHealth]) -> Iterator[Metric]:
    up = GaugeMetricFamily("cpw_node_up", "Whether it is there.", labels=["node"])
    disk = GaugeMetricFamily("cpw_node_free_disk_bytes", "Room on its disk.", labels=["node"])
    for node in nodes:
        up.add_metric([node.name], float(node.standing == "present"))
        if node.free_disk_bytes is not None:
            disk.add_metric([node.name], node.free_disk_bytes)
    yield from (up, disk)


def _workers(workers: Iterable[EnvironmentHealth]) -> Iterator[Metric]:
    labels = ["env", "worker", "node"]
    up = GaugeMetricFamily("cpw_worker_up", "Whether it can be given calls.", labels=[*labels, "state"])
    busy = GaugeMetricFamily("cpw_worker_busy", "Whether it runs a call.", labels=labels)
    memory = GaugeMetricFamily("cpw_worker_resident_bytes", "Its memory.", labels=labels)
    restarts = CounterMetricFamily("cpw_worker_restarts", "Its starts after the first.", labels=labels)
    calls = CounterMetricFamily("cpw_worker_calls", "Calls that its process has done.", labels=labels)
    echo = GaugeMetricFamily("cpw_worker_last_echo_seconds", "Age of its last echo.", labels=labels)
    loaded = GaugeMetricFamily(
        "cpw_model_loaded", "Whether it is in memory.", labels=[*labels, "model", "device"]
    )
    size = GaugeMetricFamily("cpw_model_bytes", "What it takes.", labels=[*labels, "model", "device"])
    for worker in workers:
        names = [worker.environment, worker.worker or worker.environment, worker.node]
        up.add_metric([*names, worker.state], float(worker.usable))
        busy.add_metric(names, float(worker.busy_with is not None))
        memory.add_metric(names, worker.rss_bytes)
        restarts.add_metric(names, worker.restarts)
        calls.add_metric(names, worker.calls_done)
        if worker.echo_ms is not None:
            echo.add_metric(names, worker.echo_ms / 1000)
        for (model, device), taken in _models(worker).items():
            loaded.add_metric([*names, model, device], 1)
            size.add_metric([*names, model, device], taken)
    yield from (up, busy, memory, restarts, calls, echo, loaded, size)


def _models(worker: EnvironmentHealth) -> Counter[tuple[str, str]]:
    """Return what each model takes on each device: it may be there twice, computing in two ways."""
    found: Counter[tuple[str, str]] = Counter()
    for model in worker.models:
        found[model.model, model.device] += model.bytes
    return found
