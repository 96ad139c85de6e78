"""Jobs as reports for people: what the store says, with what is known of the calls that run now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from coordinator.planning.quality import known_grades, quality_of
from coordinator.store.store import JobRow, StepRow
from coordinator.timing.durations import weight_of
from protocol.clock import since_iso_ms
from protocol.cluster.names import node_of
from protocol.messages import JobReport, StepReport
from protocol.stages import SHOWN_STAGES

__all__ = ["Ahead", "report_job"]


@dataclass(frozen=True, kw_only=True)
class Ahead:
    """What is foreseen of a job."""

    left_ms: int | None = None
    """How long until it ends; None: not known."""
    shares: Mapping[str, float] = field(default_factory=dict)
    """Step to how long it takes, in any measure; empty: not known."""


_UNKNOWN = Ahead()
_BEGUN = frozenset({"running", "done", "failed"})
"""A step in one of these states is, or was last, with the worker that its row names."""


def report_job(
    job: JobRow,
    steps: list[StepRow],
    progress: Mapping[tuple[str, str], float],
    absent: Mapping[str, str] | None = None,
    ahead: Ahead = _UNKNOWN,
) -> JobReport:
    """Return the job's report; `progress` is (job, step) to 0..1 for calls that run.

    `absent` are environments without a worker, and why: what waits for one of them says so. `ahead` is what
    is foreseen of the job.
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
        fraction=_fraction(reports, ahead.shares, lost=job.state in ("failed", "cancelled")),
        steps=reports,
        language=job.language,
        language_probability=job.language_probability,
        outputs=_outputs(job, steps),
        notes=(*job.notes, *(step.note for step in steps if step.note)),
        error=failed,
        left_ms=0 if job.ended_at is not None else ahead.left_ms,
        quality=quality_of(job.submit, job.language or job.submit.source_language, steps, known_grades()),
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
        node=node_of(step.worker) if step.state in _BEGUN else "",
        running_ms=since_iso_ms(step.begun_at) if running and step.begun_at else None,
        waits_for=f"{step.environment}: {absent}" if absent and step.state == "ready" else "",
    )


def _fraction(steps: tuple[StepReport, ...], shares: Mapping[str, float], *, lost: bool) -> float:
    """Return how much is done; where the job is `lost`, what was skipped is so for that reason.

    Without `shares` a step counts by the weight of its stage.
    """
    parts = {step.name: shares.get(step.name, 0.0) if shares else weight_of(step.stage) for step in steps}
    total = sum(parts.values())
    counted = (step for step in steps if not (lost and step.state == "skipped"))
    return sum(parts[step.name] * step.fraction for step in counted) / total if total else 0.0


def _outputs(job: JobRow, steps: list[StepRow]) -> tuple[str, ...]:
    """Return the files that the person asked for, as far as they are there, in the order of the plan."""
    shown = [step for step in steps if step.stage in SHOWN_STAGES and step.state == "done"]
    return tuple(str(job.directory / artefact.path) for step in shown for artefact in step.artefacts)
