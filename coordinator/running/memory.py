"""Whose models go when all workers together take more than the house may."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from coordinator.running.roster import Member
from protocol.clock import is_instant, now_ms, parse_iso_ms
from protocol.hardware import Hardware
from protocol.messages import LoadedModel

__all__ = ["LOW_WATER", "REST_MS", "HouseMemory", "to_unload"]

LOW_WATER = 0.9
"""Once over the budget, models are let go of until so much of it is taken: a house at its limit would be
asked again with every call otherwise."""
REST_MS = 60_000
"""A model that was used within this time is left: to load it again costs more than to be over the budget."""
_SETTLE_S = 5.0
"""After an order nothing is decided for so long: workers say every half second what they take."""

log = logging.getLogger(__name__)


def to_unload(members: Iterable[Member], budget_bytes: int, now_ms: int) -> list[tuple[str, str]]:
    """Return worker and key of the models to be let go of, the least recently used first. Pure.

    Nothing where the workers' resident memory is within the budget (0: without limit). Only models in RAM
    whose size is known, of workers that run nothing and have nothing ahead, and that have rested.
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
    """Return when it was used, 0 where its worker does not say so."""
    return parse_iso_ms(model.used_at) if is_instant(model.used_at) else 0


class HouseMemory:
    """Looks at the memory of the house now and then; time is an argument. A budget of 0 is none."""

    def __init__(self, budget_bytes: int = 0, hardware: Hardware | None = None) -> None:
        self.budget_bytes = budget_bytes
        self.hardware = hardware
        self._again_s = 0.0

    def look(self, members: Sequence[Member], now_s: float) -> dict[str, tuple[str, ...]]:
        """Return the keys that each worker is to be asked to let go of; mostly nothing."""
        if now_s < self._again_s:
            return {}
        found: dict[str, tuple[str, ...]] = {}
        for worker, key in to_unload(members, self.budget_bytes, now_ms()):
            found[worker] = (*found.get(worker, ()), key)
        if found:
            self._again_s = now_s + _SETTLE_S
            taken = sum(member.rss_bytes for member in members)
            for worker, keys in found.items():
                log.warning(
                    "the workers take %d MB of %d MB: %s is asked to let go of %s",
                    taken // 1_000_000,
                    self.budget_bytes // 1_000_000,
                    worker,
                    ", ".join(keys),
                )
        return found
