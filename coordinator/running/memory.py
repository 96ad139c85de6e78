"""Which models to unload when all workers together take more memory than allowed."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence

from coordinator.running.roster import Member
from protocol.clock import is_instant, now_ms, parse_iso_ms
from protocol.hardware import Hardware
from protocol.messages import LoadedModel

__all__ = ["LOW_WATER", "REST_MS", "WorkerMemory", "to_unload"]

LOW_WATER = 0.9
"""Once over the budget, models are unloaded until only this part of it is taken. Otherwise workers just under
the budget would be asked again after every call."""
REST_MS = 60_000
"""A model that was used so recently stays loaded: loading it again costs more than a budget exceeded."""
_PAUSE_S = 5.0
"""After a request to unload, nothing is decided for this long: workers report their memory twice a second."""

log = logging.getLogger(__name__)


def to_unload(members: Iterable[Member], budget_bytes: int, now_ms: int) -> list[tuple[str, str]]:
    """Return worker and key of the models to unload, the least recently used first. Pure.

    Nothing where the workers' resident memory is within the budget (0: no limit). Only models in RAM whose
    size is known, that nobody used for `REST_MS`, in workers that run nothing and have nothing ahead.
    """
    everyone = list(members)
    taken = sum(member.rss_bytes for member in everyone)
    if not budget_bytes or taken <= budget_bytes:
        return []
    found = [
        (_used_ms(model), member.name, model)
        for member in everyone
        if member.free() and member.ahead is None
        for model in member.models
        if model.bytes > 0 and not model.device.startswith("cuda")
    ]
    chosen = []
    for used_ms, worker, model in sorted(
        found, key=lambda candidate: (candidate[0], candidate[1], candidate[2].key)
    ):
        if taken <= LOW_WATER * budget_bytes or now_ms - used_ms < REST_MS:
            break
        chosen.append((worker, model.key))
        taken -= model.bytes
    return chosen


def _used_ms(model: LoadedModel) -> int:
    """Return when the model was last used, 0 where its worker does not tell."""
    return parse_iso_ms(model.used_at) if is_instant(model.used_at) else 0


class WorkerMemory:
    """Compares the memory of all workers with the budget; a budget of 0 is no limit. Time is an argument."""

    def __init__(self, budget_bytes: int = 0, hardware: Hardware | None = None) -> None:
        self.budget_bytes = budget_bytes
        self.hardware = hardware
        self._again_s = 0.0

    def look(
        self, members: Sequence[Member], now_s: float, of_nodes: Mapping[str, int] | None = None
    ) -> dict[str, tuple[str, ...]]:
        """Return for each worker the keys of the models that it is to unload; mostly nothing.

        `of_nodes` is a node's name to its budget in bytes.
        """
        if now_s < self._again_s:
            return {}
        found: dict[str, tuple[str, ...]] = {}
        budgets = {"": self.budget_bytes, **(of_nodes or {})}
        for node, budget_bytes in budgets.items():
            here = [member for member in members if member.node == node]
            for worker, key in to_unload(here, budget_bytes, now_ms()):
                found[worker] = (*found.get(worker, ()), key)
                log.warning(
                    "the workers take %d MB of %d MB: %s is asked to unload %s",
                    sum(member.rss_bytes for member in here) // 1_000_000,
                    budget_bytes // 1_000_000,
                    worker,
                    key,
                )
        if found:
            self._again_s = now_s + _PAUSE_S
        return found
