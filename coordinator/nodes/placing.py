"""Which steps a node may be given: where it has the same lock, and reaches the files."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass, replace

import envspecs
from coordinator.nodes.nodes import Node
from coordinator.planning.hardware_choices import HARDWARE_FIELDS, choose
from coordinator.store.rows import JobRow, StepRow
from envspecs.key import lock_digest
from envspecs.layout import lock_path
from protocol.stages import STAGES

__all__ = [
    "LEAST_FREE_BYTES",
    "Wanted",
    "digests_at_head",
    "fitted",
    "is_of_this_lock",
    "key_at_head",
    "may_do",
    "wanted_of",
]


LEAST_FREE_BYTES = 500_000_000
"""A node that has less keeps no files of the head's."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a step asks of the machine that does it."""

    environment: str
    directory: str
    """The job's folder, on the head."""
    film: str = ""
    """The film's path on the head, where the stage reads the film itself; else empty."""
    model: str = ""
    """The id of the model that must be in the store; empty: none."""
    asks_service: bool = False
    """Its environment asks a service whose address the head's machine was given."""


def wanted_of(job: JobRow, step: StepRow) -> Wanted:
    """Return what the step asks of a machine."""
    stage = STAGES[step.stage]
    given = job.submit.parameters.get(step.stage, {})
    model = {**step.choices, **given}.get("model", "") if stage.needs_model(given) else ""
    asks_service = _asks_service(step.environment)
    return Wanted(
        environment=step.environment,
        directory=str(job.directory),
        film=job.submit.media if stage.takes("media") else "",
        model="" if asks_service else str(model),
        asks_service=asks_service,
    )


def may_do(wanted: Wanted, node: Node, digests: dict[str, str]) -> bool:
    """Return whether the node can do the step at all, its model aside. Pure.

    A film never travels: a stage that reads it is done where both machines reach it. `digests` are those of
    the head's locks.
    """
    if wanted.asks_service or not is_of_this_lock(node, wanted.environment, digests):
        return False
    if wanted.film and not node.reaches(wanted.film):
        return False
    if node.reaches(wanted.directory):
        return True
    full = node.free_disk_bytes is not None and node.free_disk_bytes < LEAST_FREE_BYTES
    return node.fetches and not wanted.film and not full


def is_of_this_lock(node: Node, environment: str, digests: dict[str, str]) -> bool:
    """Return whether the node's build has the packages that the head's has, or would have."""
    return node.locks.get(environment, "") == digests.get(environment)


@functools.lru_cache(maxsize=1)
def _digests(_signature: tuple[tuple[str, int], ...]) -> dict[str, str]:
    return {name: lock_digest(name) for name in envspecs.spec_names()}


def digests_at_head() -> dict[str, str]:
    """Return of each environment the digest of its lock on the head; read again where one has changed."""
    names = envspecs.spec_names()
    # The link to a build changes with each build, its target with none.
    files = [path(name) for name in names for path in (lock_path, envspecs.venv_path)]
    return _digests(tuple((str(file), file.lstat().st_mtime_ns) for file in files if os.path.lexists(file)))


def key_at_head(node: Node, environment: str) -> str:
    """Return the key of the head's build where the node has the same lock; else, or without one, empty.

    So what one machine has done is found again on another, though their checkouts lie in other folders.
    """
    if not is_of_this_lock(node, environment, digests_at_head()):
        return ""
    marker = envspecs.read_marker(envspecs.venv_path(environment))
    return marker.key if marker is not None else ""


def fitted(step: StepRow, job: JobRow, node: Node) -> StepRow:
    """Return the step with device, compute type and batch size for the node's hardware, not the head's."""
    if node.hardware is None:
        return step
    spec = envspecs.read(step.environment)
    marker = envspecs.read_marker(envspecs.venv_path(step.environment))
    versions = marker.versions if marker is not None else {}
    asked = job.submit.parameters.get(step.stage, {})
    kept = {name: value for name, value in step.choices.items() if name not in HARDWARE_FIELDS}
    found = choose(step.stage, spec, node.hardware, asked, versions)
    return replace(step, choices={**kept, **found.values})


@functools.cache
def _asks_service(environment: str) -> bool:
    return environment in envspecs.spec_names() and envspecs.read(environment).service is not None
