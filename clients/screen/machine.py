"""What to show of the machine and of loaded models: tables and sentences as data. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from clients.screen.table import Column, Table
from clients.screen.text import age, at_node, count, duration
from protocol.clock import is_instant, parse_iso_ms
from protocol.hardware import Hardware
from protocol.messages import EnvironmentHealth, HealthReport, LoadedModel
from protocol.wording import size

__all__ = ["budget_sentences", "hardware_sentence", "hardware_table", "loaded_json", "loaded_table"]


def hardware_sentence(found: Hardware) -> str:
    """Return the machine in one line: `AMD EPYC, 16 cores, 128.0 GB of memory, NVIDIA H100 (85.0 GB)`."""
    return ", ".join(
        part
        for part in (
            found.cpu or found.machine,
            count(found.cores, "core"),
            f"{size(found.ram_bytes)} of memory" if found.ram_bytes else "",
            *(_gpus(found) or ["no GPU"]),
        )
        if part
    )


def _gpus(found: Hardware) -> list[str]:
    cards = [
        f"{card.name} ({size(card.memory_bytes)})" if card.memory_bytes else card.name for card in found.cuda
    ]
    return [*cards, *(["Apple's GPU"] if found.mps else [])]


def hardware_table(found: Hardware) -> Table:
    """Return a row for each part that decides where models compute."""
    rows = [
        ("system", f"{found.platform} {found.machine}"),
        ("processor", found.cpu or "not known"),
        ("cores to use", str(found.cores)),
        ("memory", size(found.ram_bytes) or "not known"),
    ]
    rows += [(f"cuda:{card.index}", f"{card.name}, {size(card.memory_bytes) or '?'}") for card in found.cuda]
    rows += [] if found.cuda else [("cuda", "none")]
    rows.append(("mps", "yes" if found.mps else "no"))
    rows.append(("mlx", f"on the {found.mlx}" if found.mlx == "cpu" else found.mlx or "no"))
    return Table(columns=(Column(title="what"), Column(title="found", least=20)), rows=tuple(rows))


def loaded_table(report: HealthReport, now: float) -> Table:
    """Return one row for each loaded model; `now` is POSIX time in seconds."""
    columns = (
        Column(title="environment"),
        Column(title="model", least=20),
        Column(title="device"),
        Column(title="size", right=True),
        Column(title="loaded", right=True, drop=1),
        Column(title="last used", right=True),
        Column(title="loads", right=True, drop=2),
        Column(title="load time", right=True, drop=3),
    )
    rows = tuple(
        (
            environment,
            model.key,
            model.device,
            size(model.bytes),
            _ago(model.loaded_at, now),
            _ago(model.used_at, now),
            str(model.loads),
            duration(model.load_ms),
        )
        for environment, model in _loaded(report)
    )
    return Table(columns=columns, rows=rows)


def _loaded(report: HealthReport) -> Iterator[tuple[str, LoadedModel]]:
    for environment in report.environments:
        for model in environment.models:
            yield at_node(environment.worker or environment.environment, environment.node), model


def _ago(instant: str, now: float) -> str:
    # An older worker does not write it.
    return f"{age(now - parse_iso_ms(instant) / 1000)} ago" if is_instant(instant) else ""


def budget_sentences(report: HealthReport) -> list[str]:
    """Return the memory that each worker uses, and all together, with their budgets."""
    lines = [_uses(row) for row in report.environments if row.rss_bytes]
    machines = [("", report.ram_budget_bytes), *((node.name, node.ram_budget_bytes) for node in report.nodes)]
    for node, budget_bytes in machines:
        taken = sum(row.rss_bytes for row in report.environments if row.node == node)
        if taken:
            limit = f" of {size(budget_bytes)}" if budget_bytes else ", without a limit"
            lines.append(f"{at_node('all together', node)} use {size(taken)}{limit}")
    return lines


def _uses(row: EnvironmentHealth) -> str:
    # A node does not tell the limits of its workers.
    none = "" if row.node else ", without its own limit"
    limit = f" of {size(row.ram_budget_bytes)}" if row.ram_budget_bytes else none
    return f"{at_node(row.worker or row.environment, row.node)} uses {size(row.rss_bytes)}{limit}"


def loaded_json(report: HealthReport) -> dict[str, object]:
    """Return the document of `cpw models ps --json`, without its version."""
    return {
        "workers": [
            {
                "environment": environment.environment,
                "worker": environment.worker or environment.environment,
                "node": environment.node,
                "pid": environment.pid,
                "state": environment.state,
                "rss_bytes": environment.rss_bytes,
                "ram_budget_bytes": environment.ram_budget_bytes,
                "models": environment.models,
            }
            for environment in report.environments
            if environment.pid is not None
        ],
        "ram_budget_bytes": report.ram_budget_bytes,
    }
