"""A step to the call that does it: its request, its folders, its budget."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from coordinator.planning import planner
from coordinator.planning.builders import Inputs, Results, build_request, gentler
from coordinator.store import job_folder
from coordinator.store.rows import JobRow, StepRow
from coordinator.voices.naming import names_of
from protocol.artefacts import Artefact, describe_file
from protocol.errors import ErrorKind
from protocol.messages import Call
from protocol.schema import to_plain
from protocol.stages import STAGES
from protocol.subtitles.corrections import CORRECTIONS

__all__ = ["make_call", "work_of"]

_BUDGET_SCALE = float(os.environ.get("CPW_BUDGET_SCALE", "1"))
"""A slow machine may give every call more time, a test less."""


def work_of(step: StepRow, steps: Sequence[StepRow]) -> float:
    """Return how much work a step is: the length of the sound by the stage's weight; 0 where not known.

    `steps` are all of its job.
    """
    stage = STAGES.get(step.stage)
    return stage.weight * _results_of(steps).audio_ms if stage is not None else 0.0


def _results_of(steps: Sequence[StepRow]) -> Results:
    by_step = {step.name: step.result for step in steps if step.result is not None}
    return Results(by_step, [step.name for step in steps])


def make_call(job: JobRow, step: StepRow, steps: Sequence[StepRow], *, inside: bool = False) -> Call:
    """Return the next attempt at `step`; `steps` are all of its job.

    `inside`: it is done inside the worker's running call.
    """
    stage = STAGES[step.stage]
    results = _results_of(steps)
    title, year = planner.title_of(job.submit)
    inputs = Inputs(
        submit=replace(job.submit, year=year),
        title=title,
        results=results,
        target=step.target,
        choices=step.choices,
    )
    request = build_request(step.stage, inputs)
    if hasattr(request, "corrections"):
        request = replace(request, corrections=_corrections_in(job))
    if hasattr(request, "speaker_names"):
        request = replace(request, speaker_names=names_of(job, steps))
    return Call(
        stage=step.stage,
        schema_version=stage.version,
        job_directory=str(job.directory),
        scratch=job_folder.scratch_of(step.name, step.attempt + 1),
        folder=stage.folder,
        budget_ms=round(_BUDGET_SCALE * (stage.budget_ms + stage.budget_per_media * results.audio_ms)),
        request=to_plain(gentler(request, _memory_failures(step))),
        debug=job.submit.debug,
        inside=inside,
    )


def _corrections_in(job: JobRow) -> Artefact | None:
    """Return the file in which a person's corrections stand; None where there is none."""
    path = job.directory / CORRECTIONS
    return describe_file(path, CORRECTIONS) if path.is_file() else None


def _memory_failures(step: StepRow) -> int:
    """Return how many attempts ran out of memory."""
    return step.failures if step.error is not None and step.error.kind is ErrorKind.RESOURCE else 0
