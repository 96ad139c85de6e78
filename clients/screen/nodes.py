"""What is shown of the nodes of a cluster, as sentences. Pure."""

from __future__ import annotations

import datetime as dt

from clients.screen.machine import hardware_sentence
from clients.screen.text import count, duration, since
from protocol.clock import is_instant, parse_iso_ms
from protocol.cluster.health import NodeHealth
from protocol.wording import size

__all__ = ["node_problems", "node_sentences"]

_CLOCK_SHOWN_MS = 1_000


def node_sentences(node: NodeHealth, now: float, zone: dt.tzinfo | None = None) -> list[str]:
    """Return how a node is: a line for a heading, and under it what it has and how it reaches files."""
    ago_ms = round(now * 1000) - parse_iso_ms(node.since) if is_instant(node.since) else None
    heading = f"{node.name}: {node.standing} since {since(now, ago_ms, zone)}"
    if node.standing != "present":
        return [heading]
    lines = (_machine(node), _joined(_has(node)), _joined(_ways(node)))
    return [heading, *(line for line in lines if line)]


def _machine(node: NodeHealth) -> str:
    return hardware_sentence(node.hardware) if node.hardware is not None else count(node.cores, "core")


def _has(node: NodeHealth) -> tuple[str, ...]:
    """Return its disk, its models and what its workers take, as far as it has said."""
    limit = f" of {size(node.ram_budget_bytes)}" if node.ram_budget_bytes else ""
    uses = f"its workers use {size(node.rss_bytes)}{limit} of memory" if node.rss_bytes else ""
    if node.free_disk_bytes is None:
        return (uses,)
    free = f"{size(node.free_disk_bytes) or 'nothing'} free on the disk"
    return (free, count(len(node.models), "model"), uses)


def _ways(node: NodeHealth) -> tuple[str, ...]:
    """Return how it reaches files, and a clock that is wrong."""
    ahead_ms = node.clock_ahead_ms
    wrong = abs(ahead_ms) >= _CLOCK_SHOWN_MS
    return (
        *(
            f"shares {share.head}" + (f" (there {share.here})" if share.here != share.head else "")
            for share in node.shares
        ),
        "fetches files from here" if node.fetches else "",
        f"its clock is {duration(abs(ahead_ms))} {'ahead' if ahead_ms > 0 else 'behind'}" if wrong else "",
    )


def _joined(parts: tuple[str, ...]) -> str:
    return ", ".join(part for part in parts if part)


def node_problems(node: NodeHealth) -> list[tuple[str, str]]:
    """Return sentence and remedy of each of its problems."""
    return [(f"{node.name}: {problem.sentence}", problem.remedy) for problem in node.problems]
