"""What follows from the film's language once it is known: which translations are needed, who does them."""

from __future__ import annotations

import logging
from typing import Any

from coordinator.planning import planner
from coordinator.planning.assignments import reroute
from coordinator.store.rows import JobRow, StepRow
from coordinator.store.store import Store
from protocol.errors import ErrorInfo

__all__ = ["record_language"]

log = logging.getLogger(__name__)


def record_language(store: Store, job: JobRow, step: StepRow, result: Any) -> bool:
    """Record the language in `result` and what follows from it; inside a transaction.

    `result` is that of a stage in `LANGUAGE_STAGES`: an `AsrResult`. Tells whether translations have other
    environments now.
    """
    title, _ = planner.title_of(job.submit)
    others = [language for language in result.languages if language != result.language]
    refined = planner.refine(
        job.submit, result.language, title, silent=result.segment_count == 0, others=others
    )
    notes = [*job.notes, *(note for note in refined.notes if note not in job.notes)]
    store.set_language(step.seq, result.language, result.language_probability, notes)
    store.set_states(step.seq, dict.fromkeys(refined.skipped, "skipped"))
    if job.submit.source_language is not None or not job.submit.target_languages:
        return False
    return _assign_translations(store, job, result.language)


def _assign_translations(store: Store, job: JobRow, language: str) -> bool:
    """Give every translation the environment that has both its languages; tell whether there is any."""
    steps = {step.name: step for step in store.steps(job.id)}
    routes = reroute(job.submit, language, tuple(steps.values()))
    for name, found in routes.items():
        if isinstance(found, ErrorInfo):
            log.warning("%s %s: %s", job.id, name, found.message)
            store.fail(steps[name], "failed", found, kills=0, failures=1)
        else:
            log.info("%s %s: %s", job.id, name, " ".join(found.reasons))
            store.assign(job.seq, name, found.environment, found.choices, found.reasons)
    return bool(routes)
