"""What follows from the film's language once it is known: which translations are needed, who does them."""

from __future__ import annotations

import logging
from typing import Any

from coordinator.planning import planner
from coordinator.planning.assignments import reroute
from coordinator.planning.inventory import Inventory
from coordinator.planning.quality import quality_note
from coordinator.store.rows import JobRow, StepRow
from coordinator.store.store import Store
from protocol.errors import CpwError, ErrorInfo

__all__ = ["record_language"]

log = logging.getLogger(__name__)


def record_language(store: Store, job: JobRow, step: StepRow, result: Any) -> bool:
    """Record the language in `result` and what follows from it; inside a transaction.

    `result` is that of a stage in `LANGUAGE_STAGES`: an `AsrResult`. Tells whether `job.json` says something
    else now.
    """
    title, _ = planner.title_of(job.submit)
    others = [language for language in result.languages if language != result.language]
    refined = planner.refine(
        job.submit, result.language, title, silent=result.segment_count == 0, others=others
    )
    store.set_states(step.seq, dict.fromkeys(refined.skipped, "skipped"))
    is_new = job.submit.source_language is None
    if is_new and job.submit.target_languages:
        _assign_translations(store, job, result.language)
    said = [*refined.notes, _quality_note(store, job, result.language) if is_new else ""]
    notes = [*job.notes, *(note for note in said if note and note not in job.notes)]
    store.set_language(step.seq, result.language, result.language_probability, notes)
    return is_new


def _quality_note(store: Store, job: JobRow, language: str) -> str:
    """Return what better models are to be had for the film; a file of a person that is wrong says nothing."""
    try:
        return quality_note(job.submit, language, store.steps(job.id), Inventory.look_on())
    except CpwError as error:
        log.warning("%s: what better models there are is not known: %s", job.id, error)
        return ""


def _assign_translations(store: Store, job: JobRow, language: str) -> None:
    """Give every translation the environment that has both its languages."""
    steps = {step.name: step for step in store.steps(job.id)}
    routes = reroute(job.submit, language, tuple(steps.values()))
    for name, found in routes.items():
        if isinstance(found, ErrorInfo):
            log.warning("%s %s: %s", job.id, name, found.message)
            store.fail(steps[name], "failed", found, kills=0, failures=1)
        else:
            log.info("%s %s: %s", job.id, name, " ".join(found.reasons))
            store.assign(job.seq, name, found.environment, found.choices, found.reasons)
