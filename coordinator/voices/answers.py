"""Answers about voices: who speaks in a job, what they are called, who is known on this machine."""

from __future__ import annotations

from collections.abc import Callable

from coordinator.store.rows import JobRow, StepRow
from coordinator.store.store import Store
from coordinator.voices.naming import forget_known, known_here, name_voices, series_of_job, voices_of
from protocol.errors import UsageError
from protocol.job_changes import Changed, RetryJob
from protocol.jobs.voices import (
    ForgetVoices,
    NameSpeakers,
    SpeakersQuery,
    SpeakersReport,
    VoicesQuery,
    VoicesReport,
)
from protocol.schema import from_plain
from protocol.stages import clean, demux, diarize, subtitle

__all__ = ["VoiceAnswers"]

_BEGUN = ("done", "running")


class VoiceAnswers:
    """Used by the loop's thread alone; `retry` does a stage of a job again."""

    def __init__(self, store: Store, retry: Callable[[RetryJob], Changed]) -> None:
        self._store = store
        self._retry = retry

    def answer(
        self, request: SpeakersQuery | NameSpeakers | VoicesQuery | ForgetVoices
    ) -> SpeakersReport | VoicesReport:
        """Return the answering message; raises `CpwError` where the request cannot be met."""
        match request:
            case SpeakersQuery():
                return self._report(*self._find(request.job))
            case NameSpeakers():
                return self._name(request)
            case VoicesQuery():
                return VoicesReport(voices=known_here().listed(request.series))
            case ForgetVoices():
                return VoicesReport(voices=forget_known(request.series, request.name))

    def _name(self, request: NameSpeakers) -> SpeakersReport:
        job, steps = self._find(request.job)
        name_voices(job, steps, request.names)
        if not any(step.stage == subtitle.STAGE.name and step.state in _BEGUN for step in steps):
            # They get the names when their turn comes; a job that was stopped is not begun by a name.
            return self._report(job, steps)
        changed = self._retry(RetryJob(job=job.id, stage=subtitle.STAGE.name))
        return self._report(job, steps, changed.jobs[0].steps if changed.jobs else ())

    def _find(self, name: str) -> tuple[JobRow, list[StepRow]]:
        job = self._store.job(name)
        if job is None:
            raise UsageError(f"There is no job {name}.", "cpw status")
        return job, self._store.steps(job.id)

    def _report(self, job: JobRow, steps: list[StepRow], again: tuple[str, ...] = ()) -> SpeakersReport:
        telling = next((step for step in steps if step.stage == diarize.STAGE.name), None)
        results = {step.name: step.result for step in steps if step.result}
        cleaned = results.get(clean.STAGE.name)
        found = from_plain(clean.CleanResult, cleaned).transcript.path if cleaned else ""
        offset_ms = results.get(demux.STAGE.name, {}).get("clip_start_ms", 0)
        return SpeakersReport(
            job=job.id,
            series=series_of_job(job),
            told_apart="no" if telling is None else "yes" if telling.state == "done" else "later",
            voices=voices_of(job, steps),
            transcript=str(job.directory / found) if found else "",
            offset_ms=offset_ms,
            steps=again,
        )
