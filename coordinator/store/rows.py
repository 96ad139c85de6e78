"""The rows of the store as values; columns that hold JSON are decoded."""

from __future__ import annotations

import functools
import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coordinator.plan import Dependencies
from protocol.artefacts import Artefact
from protocol.errors import ErrorInfo
from protocol.messages import CallIdentity, JobState, StepState, Submit
from protocol.schema import from_plain, to_plain

__all__ = ["JobRow", "StepOutline", "StepRow", "as_json", "job_of", "outline_of", "step_of"]


@dataclass(frozen=True, kw_only=True)
class JobRow:
    """A row of `jobs`."""

    seq: int
    id: str
    state: JobState
    submit: Submit
    directory: Path
    created_at: str
    ended_at: str | None
    elapsed_ms: int | None
    language: str | None
    language_probability: float | None
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class StepRow:
    """A row of `steps`, with the job's id."""

    seq: int
    job: str
    name: str
    stage: str
    environment: str
    target: str | None
    choices: dict[str, Any]
    reasons: tuple[str, ...]
    link: Dependencies
    state: StepState
    attempt: int
    begun_at: str | None
    run: str
    worker: str
    kills: int
    failures: int
    duration_ms: int | None
    result: dict[str, Any] | None
    artefacts: tuple[Artefact, ...]
    note: str
    error: ErrorInfo | None

    @property
    def identity(self) -> CallIdentity:
        """Return the identity of the current attempt; a result of any other attempt is refused."""
        return CallIdentity(job=self.job, step=self.name, attempt=self.attempt, run=self.run)


@dataclass(frozen=True, kw_only=True)
class StepOutline:
    """As much of a row of `steps` as tells what is still to be done."""

    seq: int
    job: str
    position: int
    name: str
    stage: str
    environment: str
    choices: dict[str, Any]
    link: Dependencies
    state: StepState
    priority: int
    started: bool
    """Whether its job has begun."""
    begun_at: str | None
    sound_ms: int | None
    """The length of the sound, of the step that found it."""


def as_json(value: Any) -> str:
    """Return the value as it is stored."""
    return json.dumps(value, ensure_ascii=False, default=to_plain)


# A job's rows are read several times for each step, and these columns hardly ever change. Where many nodes
# work, a hundred calls and more are under way: with fewer kept, each is forgotten before it is read again.
_KEPT = 512


@functools.lru_cache(maxsize=_KEPT)
def _submit(text: str) -> Submit:
    return from_plain(Submit, json.loads(text))


@functools.lru_cache(maxsize=_KEPT)
def _names(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


@functools.lru_cache(maxsize=_KEPT)
def _artefacts(text: str) -> tuple[Artefact, ...]:
    return tuple(from_plain(Artefact, load) for load in json.loads(text))


def job_of(row: sqlite3.Row) -> JobRow:
    """Read a row of `jobs`."""
    return JobRow(
        seq=row["seq"],
        id=row["id"],
        state=row["state"],
        submit=_submit(row["submit"]),
        directory=Path(row["directory"]),
        created_at=row["created_at"],
        ended_at=row["ended_at"],
        elapsed_ms=row["elapsed_ms"],
        language=row["language"],
        language_probability=row["language_probability"],
        notes=_names(row["notes"]),
    )


def step_of(row: sqlite3.Row) -> StepRow:
    """Read a row of `steps` that was joined with its job's id as `job_id`."""
    link = Dependencies(needs=_names(row["needs"]), after=_names(row["after"]))
    return StepRow(
        seq=row["job"],
        job=row["job_id"],
        name=row["name"],
        stage=row["stage"],
        environment=row["environment"],
        target=row["target"],
        choices=json.loads(row["choices"]),
        reasons=_names(row["reasons"]),
        link=link,
        state=row["state"],
        attempt=row["attempt"],
        begun_at=row["begun_at"],
        run=row["run"],
        worker=row["worker"],
        kills=row["kills"],
        failures=row["failures"],
        duration_ms=row["duration_ms"],
        result=json.loads(row["result"]) if row["result"] else None,
        artefacts=_artefacts(row["artefacts"]),
        note=row["note"],
        error=from_plain(ErrorInfo, json.loads(row["error"])) if row["error"] else None,
    )


def outline_of(row: sqlite3.Row) -> StepOutline:
    """Read a row of the columns that `Store.outlines` asks for."""
    return StepOutline(
        seq=row["job"],
        job=row["job_id"],
        position=row["position"],
        name=row["name"],
        stage=row["stage"],
        environment=row["environment"],
        choices=json.loads(row["choices"]),
        link=Dependencies(needs=_names(row["needs"]), after=_names(row["after"])),
        state=row["state"],
        priority=row["priority"],
        started=bool(row["started"]),
        begun_at=row["begun_at"],
        sound_ms=row["sound_ms"],
    )
