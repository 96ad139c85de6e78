"""Which free worker of an environment does which of the steps that are ready."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from coordinator.running.roster import Member
from coordinator.store.rows import StepRow
from coordinator.store.store import Store

__all__ = ["Wish", "pair", "wish_of"]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What makes a worker the better one for a step."""

    workers: frozenset[str] = frozenset()
    """Those that have done other steps of the job: they may still hold what they made of the film."""
    model: str = ""
    """What the step loads, by its id; empty: nothing, or not known."""


def wish_of(store: Store, step: StepRow) -> Wish:
    """Return what is known of the step."""
    job = store.job(step.job)
    given = job.submit.parameters.get(step.stage, {}) if job is not None else {}
    others = store.steps(step.job)
    return Wish(
        workers=frozenset(other.worker for other in others if other.environment == step.environment),
        model=str({**step.choices, **given}.get("model", "")),
    )


def pair(
    steps: Sequence[StepRow], openings: Sequence[Member], wish: Callable[[StepRow], Wish]
) -> Iterator[tuple[StepRow, Member]]:
    """Yield each step, in their order, with the worker that is to do it, as far as there are openings. Pure.

    `openings` are those of the roster: a place for one call each. A worker without a call goes before one
    that would begin later. Of several, one that has done another step of the job goes first, then one that
    has the model loaded. `wish` is called only where there is a choice.
    """
    left = list(openings)
    for step in steps[: len(left)]:
        free = [member for member in left if member.free()]
        member = _best(wish(step), free) if len(free) > 1 else left[0]
        left.remove(member)
        yield step, member


def _best(wish: Wish, free: Sequence[Member]) -> Member:
    return max(free, key=lambda member: (member.name in wish.workers, _has_loaded(member, wish.model)))


def _has_loaded(member: Member, model: str) -> bool:
    return bool(model) and any(loaded.model == model for loaded in member.models)
