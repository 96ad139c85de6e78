"""What a translator leaves: the next one of the route goes on with it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from coordinator.planning.assignments import Assignment, next_translator, reroute
from coordinator.planning.inventory import Inventory
from coordinator.store.rows import JobRow, StepRow
from coordinator.store.store import Store
from protocol.errors import CpwError, ErrorInfo, ErrorKind
from protocol.schema import to_plain
from protocol.stages import ROUTED_STAGES

__all__ = ["hand_over", "keep_draft", "route_anew", "to_next"]

log = logging.getLogger(__name__)

_DRAFT = "draft"
"""The field of a translation's request, and so of a step's choices, that holds what the one before made."""


def hand_over(store: Store, job: JobRow, step: StepRow, result: Any) -> bool:
    """Give the step to the next translator, if one has left lines; tell whether. Inside a transaction.

    The step's own result is in the store already: it counts where the next translator fails, too. A step is
    handed over once.
    """
    if step.stage not in ROUTED_STAGES or not result.left or _DRAFT in step.choices or step.target is None:
        return False
    try:
        found = next_translator(job.submit, _language(job), step, Inventory.look_on())
    except CpwError as error:
        log.info("%s %s: %d lines stay: %s", job.id, step.name, result.left, error)
        return False
    # What the first one doubted is mended or told anew by the next.
    told = f"{step.name}: {'; '.join(result.notes)}." if result.notes else ""
    lines = "1 line" if result.left == 1 else f"{result.left} lines"
    note = f"{step.name}: {lines} that {step.environment} left are translated by {found.environment}."
    _give(store, step, found, to_plain(result.transcript), f"{told} {note}".strip())
    log.info("%s %s", job.id, note)
    return True


def _give(store: Store, step: StepRow, found: Assignment, draft: Any, note: str) -> None:
    """Make the step ready for another translator. Without a draft, too, the field says so."""
    store.assign(step.seq, step.name, found.environment, {**found.choices, _DRAFT: draft}, found.reasons)
    store.set_states(step.seq, {step.name: "ready"})
    store.set_note(step, note)


def _language(job: JobRow) -> str | None:
    return job.language or job.submit.source_language


def keep_draft(store: Store, step: StepRow, error: ErrorInfo) -> bool:
    """Finish a step with its draft, if it has one, as the next translator failed; tell whether."""
    if _DRAFT not in step.choices or step.result is None:
        return False
    store.finish(step, step.result, step.artefacts, step.duration_ms or 0)
    note = f"{step.name}: what was left is not translated: {error.message}"
    store.set_note(step, f"{step.note} {note}".strip())
    return True


def to_next(store: Store, job: JobRow, step: StepRow, error: ErrorInfo) -> bool:
    """Give a step whose service has failed for good to the next translator; tell whether there is one.

    Only where the service could not be reached or was too slow: what a person has to mend is told.
    """
    if step.stage not in ROUTED_STAGES or error.kind is not ErrorKind.TRANSIENT:
        return False
    here = Inventory.look_on()
    spec = here.specs.get(step.environment)
    if spec is None or spec.service is None:
        return False
    try:
        found = next_translator(job.submit, _language(job), step, here)
    except CpwError:
        return False
    store.renew(step.seq, [step.name])
    note = f"{step.name}: translated by {found.environment}, as {step.environment} failed: {error.message}"
    _give(store, step, found, None, note)
    log.warning("%s %s", job.id, note)
    return True


def route_anew(store: Store, job: JobRow, steps: Iterable[StepRow]) -> None:
    """Give steps that were handed over back to the first translator, as they are done again."""
    waiting = [replace(step, state="waiting") for step in steps if _DRAFT in step.choices]
    for name, found in reroute(job.submit, _language(job), waiting).items() if waiting else ():
        if isinstance(found, ErrorInfo):
            log.warning("%s %s: %s", job.id, name, found.message)
        else:
            store.assign(job.seq, name, found.environment, found.choices, found.reasons)
