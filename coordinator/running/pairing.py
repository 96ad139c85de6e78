"""Which free worker of an environment does which of the steps that are ready."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from coordinator.nodes.nodes import Node, Nodes
from coordinator.nodes.placing import Wanted, digests_at_head, may_do, wanted_of
from coordinator.planning.inventory import Inventory
from coordinator.running.roster import Member
from coordinator.store.rows import StepRow
from coordinator.store.store import Store
from protocol.cluster.names import node_of

__all__ = ["PORTION", "Pairing", "Wish", "pair", "wish_of"]

PORTION = 100
"""So many steps that are ready are looked at at a time, where some workers cannot do all of them."""
_MOST_PORTIONS = 10
_GPUS = ("cuda", "mps")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What makes a worker the better one for a step."""

    workers: frozenset[str] = frozenset()
    """Those that have done other steps of the job: they may still hold what they made of the film."""
    nodes: frozenset[str] = frozenset()
    """Nodes that have done steps of the job: they have its files."""
    model: str = ""
    """What the step loads, by its id; empty: nothing, or not known."""
    with_gpu: frozenset[str] = frozenset()
    """Machines, the head's own as an empty name, with a GPU that the step could compute on."""


def wish_of(store: Store, step: StepRow) -> Wish:
    """Return what is known of the step."""
    job = store.job(step.job)
    given = job.submit.parameters.get(step.stage, {}) if job is not None else {}
    others = store.steps(step.job)
    return Wish(
        workers=frozenset(other.worker for other in others if other.environment == step.environment),
        nodes=frozenset(node_of(other.worker) for other in others if other.worker),
        model=str({**step.choices, **given}.get("model", "")),
    )


def pair(
    steps: Sequence[StepRow],
    openings: Sequence[Member],
    wish: Callable[[StepRow], Wish],
    able: Callable[[StepRow], Callable[[Member], bool]] | None = None,
) -> Iterator[tuple[StepRow, Member]]:
    """Yield each step, in their order, with the worker that is to do it, as far as there are openings. Pure.

    `openings` are those of the roster: a place for one call each. A worker without a call goes before one
    that would begin later. Of several, one that has done another step of the job goes first, then one that
    has the model loaded, on a GPU before on a processor, then one with a GPU, then one whose node has files
    of the job. `wish` is called only where there is a choice. `able` returns who can do a step: one that
    nobody can is passed over; None: everybody can do all.
    """
    left = list(openings)
    for step in steps:
        if not left:
            return
        here = left if able is None else list(filter(able(step), left))
        if not here:
            continue
        free = [member for member in here if member.free()]
        member = _best(wish(step), free) if len(free) > 1 else here[0]
        left.remove(member)
        yield step, member


def _best(wish: Wish, free: Sequence[Member]) -> Member:
    return max(
        free,
        key=lambda member: (
            member.name in wish.workers,
            _is_loaded(member, wish.model),
            member.node in wish.with_gpu,
            member.node in wish.nodes,
        ),
    )


def _is_loaded(member: Member, model: str) -> int:
    """Return 2 where the worker has the model on a GPU, 1 where it has it otherwise, else 0."""
    devices = [loaded.device for loaded in member.models if model and loaded.model == model]
    return max((1 + device.startswith(_GPUS) for device in devices), default=0)


class Pairing:
    """Finds for workers with an opening the next steps that they can do. Used by the loop's thread alone."""

    def __init__(self, store: Store, nodes: Nodes) -> None:
        self._store = store
        self._nodes = nodes
        self._digests: dict[str, str] = {}
        self._stored_here: Callable[[str], bool] = lambda _: True
        self.lacking: set[tuple[str, str]] = set()
        """Nodes, each with a model that it lacks for a step that nobody could be given."""

    def look(self) -> None:
        """Read what may have changed since the last turn."""
        if self._nodes.present:
            self._digests = digests_at_head()
            self._stored_here = Inventory.look_on().is_stored_here
        self.lacking.clear()

    def pairs(self, environment: str, openings: Sequence[Member]) -> Iterator[tuple[StepRow, Member]]:
        """Yield the environment's next ready steps, each with the worker that is to do it."""
        wish = self._wish if self._nodes.present else partial(wish_of, self._store)
        if not self._nodes.present:
            yield from pair(self._store.ready_steps(environment, len(openings)), openings, wish)
            return
        left = list(openings)
        skipped = 0
        portion = len(left)
        for _ in range(_MOST_PORTIONS):
            steps = self._store.ready_steps(environment, portion, skipped)
            # All at once: each that is sent is ready no longer, and would shift those behind it.
            found = list(pair(steps, left, wish, self._able))
            for step, member in found:
                left.remove(member)
                yield step, member
            skipped += len(steps) - len(found)
            if not left or len(steps) < portion:
                break
            portion = PORTION
        self._note_lacking(left, environment)

    def _wish(self, step: StepRow) -> Wish:
        spec = Inventory.look_on().specs.get(step.environment)
        computing = spec.computing_of(step.stage) if spec is not None and step.stage in spec.stages else None
        if computing is None or not set(_GPUS) & set(computing.devices):
            return wish_of(self._store, step)
        machines = {"": Inventory.look_on().hardware}
        machines |= {node.name: node.hardware for node in self._nodes.present.values() if node.hardware}
        with_gpu = {name for name, found in machines.items() if found.cuda or found.mps}
        return replace(wish_of(self._store, step), with_gpu=frozenset(with_gpu))

    def may(self, step: StepRow, member: Member) -> bool:
        """Return whether the worker can do the step: its machine has the model and reaches the files."""
        return self._able(step)(member)

    def _able(self, step: StepRow) -> Callable[[Member], bool]:
        """Return who can do the step; all workers of one machine can, or none."""
        if not self._nodes.present:
            return lambda member: not member.node
        wanted = self._wanted(step)
        known: dict[str, bool] = {}

        def can(member: Member) -> bool:
            if member.node not in known:
                known[member.node] = wanted is not None and self._can(wanted, member)
            return known[member.node]

        return can

    def _can(self, wanted: Wanted, member: Member) -> bool:
        if not member.node:
            return not wanted.model or self._stored_here(wanted.model)
        node = self._nodes.of(member.name)
        return node is not None and may_do(wanted, node, self._digests) and _has(node, wanted)

    def _wanted(self, step: StepRow) -> Wanted | None:
        job = self._store.job(step.job)
        return wanted_of(job, step) if job is not None else None

    def _note_lacking(self, left: Sequence[Member], environment: str) -> None:
        """Note which models nodes with an opening lack for the first step that waits."""
        waiting = self._store.ready_steps(environment, 1)
        wanted = self._wanted(waiting[0]) if waiting else None
        if wanted is None or not wanted.model:
            return
        for node in {member.node for member in left if member.node}:
            found = self._nodes.present.get(node)
            if found is not None and not _has(found, wanted) and may_do(wanted, found, self._digests):
                self.lacking.add((node, wanted.model))


def _has(node: Node, wanted: Wanted) -> bool:
    return not wanted.model or wanted.model in node.models
