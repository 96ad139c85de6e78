"""What is shown of environments and their workers, as tables and sentences. Pure."""

from __future__ import annotations

import datetime as dt

from clients.screen.nodes import node_problems
from clients.screen.table import Column, Table
from clients.screen.text import at_node, count, duration, since
from protocol.messages import EnvironmentHealth, HealthReport
from protocol.wording import size

__all__ = ["health_problems", "health_sentence", "health_table", "model_sentences"]


def health_sentence(report: HealthReport, now: float, zone: dt.tzinfo | None = None) -> str:
    """Return the state of everything in one line."""
    state = "healthy" if report.healthy else "not healthy"
    cores = f", {count(report.cores, 'core')}" if report.cores else ""
    disk = f", {size(report.free_disk_bytes)} free on the disk" if report.free_disk_bytes else ""
    jobs = f"{count(report.jobs_running, 'job')} running, {report.jobs_queued} queued"
    jobs += f", {report.jobs_held} held" if report.jobs_held else ""
    up = f"coordinator {report.pid} up since {since(now, report.uptime_ms, zone)}"
    return f"{state}: {up}, {jobs}{cores}{disk}"


def health_table(report: HealthReport, now: float, zone: dt.tzinfo | None = None, node: str = "") -> Table:
    """Return one row for each worker of a machine, and for each environment that has none.

    `node` is empty for the head's own machine.
    """
    columns = (
        Column(title="environment"),
        Column(title="state", styled=True),
        Column(title="pid", right=True),
        Column(title="up since"),
        Column(title="memory", right=True),
        Column(title="cores", right=True, drop=2),
        Column(title="calls", right=True),
        Column(title="restarts", right=True, drop=1),
        Column(title="last echo", right=True),
        Column(title="stages", drop=4, least=12),
        Column(title="models (loads)", drop=3),
    )
    return Table(
        columns=columns,
        rows=tuple(
            _health_row(environment, now, zone)
            for environment in report.environments
            if environment.node == node
        ),
    )


def _health_row(environment: EnvironmentHealth, now: float, zone: dt.tzinfo | None) -> tuple[str, ...]:
    alive = environment.pid is not None
    return (
        _name(environment),
        f"{environment.state} (optional)" if _is_left_out(environment) else environment.state,
        str(environment.pid) if alive else "",
        since(now, environment.uptime_ms, zone),
        size(environment.rss_bytes),
        str(environment.cores) if environment.cores else "",
        str(environment.calls_done) if alive else "",
        str(environment.restarts) if environment.restarts else "",
        "" if environment.echo_ms is None else f"{duration(environment.echo_ms)} ago",
        ", ".join(environment.stages),
        ", ".join(f"{model.key} ({model.loads})" for model in environment.models),
    )


def model_sentences(report: HealthReport) -> list[str]:
    """Return a line for each loaded model, for screens that are too narrow for the table's last column."""
    return [
        f"{_place(row)} has {model.key} loaded ({count(model.loads, 'load')}, {duration(model.load_ms)})"
        for row in report.environments
        for model in row.models
    ]


def health_problems(report: HealthReport) -> list[tuple[str, str]]:
    """Return sentence and remedy for store, disks, models and nodes, and for every worker with a problem."""
    found = [(problem.sentence, problem.remedy) for problem in report.problems]
    for node in report.nodes:
        found += node_problems(node)
    return found + [
        (f"{_place(environment)}: {environment.problem}", environment.remedy)
        for environment in report.environments
        if environment.problem and not _is_left_out(environment)
    ]


def _place(environment: EnvironmentHealth) -> str:
    return at_node(_name(environment), environment.node)


def _name(environment: EnvironmentHealth) -> str:
    """Return its worker's name; an older coordinator does not tell it."""
    return environment.worker or environment.environment


def _is_left_out(environment: EnvironmentHealth) -> bool:
    """Return whether it is optional and not built, which is no problem."""
    return environment.optional and environment.state == "not built"
