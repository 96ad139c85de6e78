"""Jobs as reports for people: what the store says, with what is known of the calls that run now."""

from __future__ import annotations

from collections.abc import Mapping

from coordinator.store.store import JobRow, StepRow
from protocol.clock import since_iso_ms
from protocol.messages import JobReport, StepReport

__all__ = ["report_job"]

# What share of the time a stage takes, roughly, on a CPU: a bar that moves evenly is an honest one.
_WEIGHTS = {"demux": 3, "asr": 50, "align": 12, "clean": 1, "translate": 40, "subtitle": 1, "mux": 4}
_SHOWN = {"subtitle": 0, "mux": 1}


def report_job(
    job: JobRow,
    steps: list[StepRow],
    progress: Mapping[tuple[str, str], float],
    absent: Mapping[str, str] | None = None,
) -> JobReport:
    """Return the job's report; `progress` is (job, step) to 0..1 for calls that run.

    `absent` are environments without a worker, and why: what waits for one of them says so.
    """
    absent = {} if job.state == "held" else absent or {}
    reports = tuple(
        _report_step(step, progress.get((job.id, step.name), 0.0), absent.get(step.environment, ""))
        for step in steps
    )
    told = ("failed", "waiting", "ready") if job.state == "held" else ("failed",)
    failed = next((step.error for step in steps if step.state in told and step.error is not None), None)
    elapsed = job.elapsed_ms if job.elapsed_ms is not None else since_iso_ms(job.created_at)
    return JobReport(
        job=job.id,
        state=job.state,
        media=job.submit.media,
        workflow=job.submit.workflow,
        directory=str(job.directory),
        created_at=job.created_at,
        elapsed_ms=elapsed,
        fraction=_fraction(reports, lost=job.state in ("failed", "cancelled")),
        steps=reports,
        language=job.language,
        language_probability=job.language_probability,
        outputs=_outputs(job, steps),
        notes=(*job.notes, *(step.note for step in steps if step.note)),
        error=failed,
    )


def _report_step(step: StepRow, fraction: float, absent: str) -> StepReport:
    running = step.state == "running"
    done = step.state in ("done", "skipped")
    return StepReport(
        name=step.name,
        stage=step.stage,
        environment=step.environment,
        state=step.state,
        attempt=step.attempt,
        fraction=1.0 if done else fraction if step.state == "running" else 0.0,
        duration_ms=step.duration_ms,
        note=step.note,
        error=step.error,
        worker=step.worker if running else "",
        running_ms=since_iso_ms(step.begun_at) if running and step.begun_at else None,
        waits_for=f"{step.environment}: {absent}" if absent and step.state == "ready" else "",
    )


def _fraction(steps: tuple[StepReport, ...], *, lost: bool) -> float:
    """Return how much is done; where the job is `lost`, what was skipped is so for that reason."""
    total = sum(_WEIGHTS.get(step.stage, 10) for step in steps)
    counted = (step for step in steps if not (lost and step.state == "skipped"))
    return sum(_WEIGHTS.get(step.stage, 10) * step.fraction for step in counted) / total if total else 0.0


def _outputs(job: JobRow, steps: list[StepRow]) -> tuple[str, ...]:
    """Return what the person asked for, as far as it is there: subtitles first, then the film."""
    shown = [step for step in steps if step.stage in _SHOWN and step.state == "done"]
    shown.sort(key=lambda step: _SHOWN[step.stage])
    return tuple(str(job.directory / artefact.path) for step in shown for artefact in step.artefacts)
