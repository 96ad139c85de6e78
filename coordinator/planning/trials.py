"""Trials: a stretch recognised again, a line translated again. The job that they are of stays as it is.

A trial is a job of its own with a part of that job's plan. What goes before the stage is done already: its
results are the job's, but for where speech is (the stretch) and what was said (the line). So a trial has all
that a job has (a budget, retries, an end when its worker dies), and nothing is made twice.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from coordinator.plan import PlannedStep
from coordinator.planning.admission import changed
from coordinator.store.rows import JobRow, StepRow
from coordinator.store.store import Store
from protocol.artefacts import Artefact, describe_file, read_json_as, resolve_inside, write_json
from protocol.clock import since_iso_ms
from protocol.errors import InputError, SchemaError, UsageError
from protocol.jobs.trial import TrialBegun, TrialQuery
from protocol.schema import from_plain, to_plain
from protocol.stages import STAGES, align, asr, demux, separate, translate, vad
from protocol.timeline import Segment, Span, Transcript

__all__ = ["begin_trial", "language_at"]

_PRIORITY = 1_000
"""Somebody sits there and waits."""
_KEPT_MS = 60_000
_FOLDER = "trials"
_SOUND = (demux.STAGE.name, separate.STAGE.name)
_SPOKEN = "spoken.json"


def begin_trial(query: TrialQuery, store: Store) -> TrialBegun:
    """Make the trial and commit it. Raises `UsageError` and `InputError` where it cannot be one."""
    job = store.job(query.job)
    if job is None:
        message = f"There is no job {query.job!r}."
        raise UsageError(message, "cpw status")
    if not job.directory.is_dir():
        message = f"The folder of {job.id} is gone."
        raise InputError(message, f"cpw retry {job.id} --from {demux.STAGE.name}")
    steps = {step.name: step for step in store.steps(job.id)}
    _forget_old(job, store)
    number = len(store.trials(job.id)) + 1
    while store.job(trial := f"{job.id}-trial-{number}") is not None:
        number += 1
    folder = job.directory / _FOLDER / str(number)
    folder.mkdir(parents=True)
    (folder / "logs").mkdir()
    try:
        done, planned = _parts(query, job, steps, folder)
        spoken = _language(job, steps, _span(query, steps))
        with store.transaction():
            submit = dataclasses.replace(
                changed(job.submit, query.parameters),
                source_language=spoken or job.submit.source_language,
                priority=_PRIORITY,
                hold=False,
                key="",
            )
            store.add_job(trial, submit, folder, [step for step, _, _ in done] + planned, [])
            store.make_trial(trial, job.id)
            rows = {step.name: step for step in store.steps(trial)}
            for step, result, artefacts in done:
                store.finish(rows[step.name], result, artefacts, 0)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    last = STAGES[planned[-1].stage]
    name = "transcript.json" if last is align.STAGE else f"transcript.{query.target_language}.json"
    return TrialBegun(
        job=trial,
        transcript=str(folder / last.folder / name),
        clip_start_ms=_sound(query, steps).clip_start_ms,
    )


_Done = tuple[PlannedStep, dict[str, Any], tuple[Artefact, ...]]


def _parts(
    query: TrialQuery, job: JobRow, steps: dict[str, StepRow], folder: Path
) -> tuple[list[_Done], list[PlannedStep]]:
    """Return the steps that are done already with their results, and those that are to be done."""
    span = _span(query, steps)
    done = [_taken_over(job, step, folder) for step in steps.values() if step.stage in _SOUND]
    if query.stage == asr.STAGE.name:
        done.append(_heard(span))
        return done, [_again(steps, asr.STAGE.name, ()), _again(steps, align.STAGE.name, (asr.STAGE.name,))]
    if query.stage == translate.STAGE.name:
        name = f"{translate.STAGE.name}-{query.target_language}"
        if not query.text.strip():
            message = "There is no line to be translated."
            raise UsageError(message)
        done += _spoken(query, job, steps, span, folder)
        return done, [_again(steps, name, ())]
    message = f"The stage {query.stage!r} cannot be tried again by itself."
    raise UsageError(message, f"{asr.STAGE.name} and {translate.STAGE.name} can.")


def _sound(query: TrialQuery, steps: dict[str, StepRow]) -> demux.DemuxResult:
    found = next((step.result for step in steps.values() if step.stage == demux.STAGE.name), None)
    if found is None:
        message = f"The sound of {query.job} is not there yet."
        raise InputError(message, "Wait until the job is done.")
    return from_plain(demux.DemuxResult, found)


def _span(query: TrialQuery, steps: dict[str, StepRow]) -> Span:
    """Return the stretch on the clip's clock."""
    sound = _sound(query, steps)
    start_ms = max(0, query.start_ms - sound.clip_start_ms)
    end_ms = min(query.end_ms - sound.clip_start_ms, sound.audio_duration_ms)
    if start_ms >= end_ms:
        message = f"There is no sound from {query.start_ms} to {query.end_ms} ms."
        raise UsageError(message)
    return Span(start_ms=start_ms, end_ms=end_ms)


def _again(steps: dict[str, StepRow], name: str, needs: tuple[str, ...]) -> PlannedStep:
    step = steps.get(name)
    if step is None:
        message = f"The job has no step {name}."
        raise UsageError(message, f"It has: {', '.join(steps)}.")
    return _planned(step.name, step.stage, step.environment, needs, step.target, dict(step.choices))


def _planned(
    name: str,
    stage: str,
    environment: str = "",
    needs: tuple[str, ...] = (),
    target: str | None = None,
    choices: dict[str, Any] | None = None,
) -> PlannedStep:
    return PlannedStep(
        name=name,
        stage=stage,
        environment=environment,
        target=target,
        needs=needs,
        after=(),
        choices=choices or {},
    )


def _taken_over(job: JobRow, step: StepRow, folder: Path) -> _Done:
    """Link the files of a step, which nobody changes, into the trial's folder."""
    if step.result is None:
        message = f"The job {job.id} has not done {step.name} yet."
        raise InputError(message, "Wait until the job is done.")
    for artefact in step.artefacts:
        made, final = resolve_inside(job.directory, artefact.path), resolve_inside(folder, artefact.path)
        final.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(made, final)
        except FileNotFoundError as error:
            message = f"{artefact.path} of {job.id} is gone."
            raise InputError(message, f"cpw retry {job.id} --from {step.stage}") from error
        except OSError:  # a disk without links
            shutil.copyfile(made, final)
    return _planned(step.name, step.stage, step.environment), dict(step.result), step.artefacts


def _heard(span: Span) -> _Done:
    nothing = Artefact(path="", size=0, sha256="")
    result = vad.VadResult(
        segments=nothing, speech=(span,), speech_ms=span.end_ms - span.start_ms, method="by hand", device=""
    )
    return _planned(vad.STAGE.name, vad.STAGE.name), to_plain(result), ()


def _spoken(
    query: TrialQuery, job: JobRow, steps: dict[str, StepRow], span: Span, folder: Path
) -> Iterator[_Done]:
    """Yield recognition and alignment as they would be if this line were all that is said."""
    heard = next((step.result for step in steps.values() if step.stage == asr.STAGE.name), None)
    if heard is None:
        message = f"The job {job.id} has not been recognised yet."
        raise InputError(message, "Wait until the job is done.")
    result = from_plain(asr.AsrResult, heard)
    language = language_at(result, job.directory, span)
    result = dataclasses.replace(result, speech=(span,), language=language, languages={})
    line = Segment(start_ms=span.start_ms, end_ms=span.end_ms, text=" ".join(query.text.split()))
    place = folder / align.STAGE.folder
    place.mkdir()
    write_json(place / _SPOKEN, to_plain(Transcript(language=language, segments=(line,))))
    name = f"{align.STAGE.folder}/{_SPOKEN}"
    written = describe_file(place / _SPOKEN, name)
    aligned = align.AlignResult(transcript=written, word_count=0, timed_by={})
    yield _planned(asr.STAGE.name, asr.STAGE.name), to_plain(result), ()
    yield _planned(align.STAGE.name, align.STAGE.name), to_plain(aligned), (written,)


def _language(job: JobRow, steps: dict[str, StepRow], span: Span) -> str | None:
    """Return the language of the stretch where the job has been recognised, else what is known of the job."""
    heard = next((step.result for step in steps.values() if step.stage == asr.STAGE.name), None)
    if heard is None or not heard.get("languages"):
        return job.language
    return language_at(from_plain(asr.AsrResult, heard), job.directory, span)


def language_at(heard: asr.AsrResult, directory: Path, span: Span) -> str:
    """Return the language in which most of a stretch (on the clip's clock) is spoken.

    That is the film's where nothing is said there, where it has one language, and where nobody can tell any
    more.
    """
    if not heard.languages:
        return heard.language
    try:
        transcript = read_json_as(Transcript, resolve_inside(directory, heard.segments.path))
    except (OSError, ValueError, SchemaError):
        return heard.language
    shared = Counter[str]()
    for segment in transcript.segments:
        both_ms = min(segment.end_ms, span.end_ms) - max(segment.start_ms, span.start_ms)
        shared[transcript.language_of(segment)] += max(0, both_ms)
    language, most_ms = max(shared.items(), key=lambda pair: pair[1], default=("", 0))
    return language if most_ms else heard.language


def _forget_old(job: JobRow, store: Store) -> None:
    """Remove the job's trials that ended a while ago: whoever asked for them has seen them."""
    for trial in store.trials(job.id):
        if trial.ended_at is not None and since_iso_ms(trial.ended_at) > _KEPT_MS:
            shutil.rmtree(trial.directory, ignore_errors=True)
            store.remove_job(trial.seq)
