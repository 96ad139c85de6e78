"""The coordinator's truth: one SQLite file, the coordinator its only writer.

WAL with `synchronous=FULL`: what is committed survives a power cut. Every change of state is one
transaction; nothing is sent to a worker or answered to a person before its commit.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from coordinator.planner import PlannedStep
from coordinator.scheduler import Link
from protocol.artefacts import Artefact
from protocol.clock import now_iso
from protocol.errors import BugError, ErrorInfo
from protocol.messages import CallIdentity, JobState, StepState, Submit
from protocol.schema import from_plain, to_plain

__all__ = ["JobRow", "StepRow", "Store"]

SCHEMA_VERSION = 1


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
    link: Link
    state: StepState
    attempt: int
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
        """Return the identity of the current attempt: the fence."""
        return CallIdentity(job=self.job, step=self.name, attempt=self.attempt, run=self.run)


class Store:
    """All reads and writes. Used by one thread."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Before SQLite opens it: its other files take this one's mode.
        path.touch(mode=0o600)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
            self._db.execute(f"PRAGMA {pragma}")
        self._migrate()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _migrate(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            message = f"The job store is of version {version}, this program knows {SCHEMA_VERSION}."
            raise BugError(message, "Update the program.")
        if version == 0:
            script = resources.files("coordinator").joinpath("schema.sql").read_text()
            self._db.executescript(f"BEGIN;\n{script}\nPRAGMA user_version={SCHEMA_VERSION};\nCOMMIT;")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """One commit for all writes inside, or none of them."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            # SQLite has rolled back by itself where the disk is full; a failed COMMIT stays open.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def next_epoch(self) -> str:
        """Count one start of the coordinator and return its run."""
        with self.transaction():
            row = self._db.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
            epoch = int(row["value"]) + 1 if row else 1
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('epoch', ?)", (str(epoch),))
        return str(epoch)

    def highest_number(self, prefix: str) -> int:
        """Return the highest number among job ids that start with `prefix`, 0 where there is none."""
        row = self._db.execute(
            "SELECT max(CAST(substr(id, ?) AS INTEGER)) AS top FROM jobs WHERE substr(id, 1, ?) = ?",
            (len(prefix) + 1, len(prefix), prefix),
        ).fetchone()
        return int(row["top"] or 0)

    def add_job(
        self, job: str, submit: Submit, directory: Path, steps: Iterable[PlannedStep], notes: list[str]
    ) -> None:
        """Write a job and its plan; inside a transaction."""
        cursor = self._db.execute(
            "INSERT INTO jobs (id, state, submit, directory, created_at, notes) VALUES (?,?,?,?,?,?)",
            (job, "queued", _json(submit), str(directory), now_iso(), _json(notes)),
        )
        self._db.executemany(
            "INSERT INTO steps (job, position, name, stage, environment, target, needs, after, state)"
            " VALUES (?,?,?,?,?,?,?,?,?)",
            [
                (
                    cursor.lastrowid,
                    position,
                    step.name,
                    step.stage,
                    step.environment,
                    step.target,
                    _json(step.needs),
                    _json(step.after),
                    "waiting" if step.needs or step.after else "ready",
                )
                for position, step in enumerate(steps)
            ],
        )

    def job(self, job: str) -> JobRow | None:
        """Return the job, None where there is none."""
        row = self._db.execute("SELECT * FROM jobs WHERE id = ?", (job,)).fetchone()
        return _job(row) if row else None

    def newest_jobs(self, limit: int) -> list[JobRow]:
        """Return the newest jobs, newest first."""
        rows = self._db.execute("SELECT * FROM jobs ORDER BY seq DESC LIMIT ?", (limit,))
        return [_job(row) for row in rows]

    def count_jobs(self, state: JobState) -> int:
        """Return how many jobs are in `state`."""
        row = self._db.execute("SELECT count(*) AS n FROM jobs WHERE state = ?", (state,)).fetchone()
        return int(row["n"])

    def steps(self, job: str) -> list[StepRow]:
        """Return the job's steps in the order of its plan."""
        rows = self._db.execute(f"{_STEPS} WHERE jobs.id = ? ORDER BY position", (job,))
        return [_step(row) for row in rows]

    def running_steps(self) -> list[StepRow]:
        """Return every step that is said to run."""
        return [_step(row) for row in self._db.execute(f"{_STEPS} WHERE steps.state = 'running'")]

    def ready_steps(self, environment: str, limit: int) -> list[StepRow]:
        """Return the next steps of an environment: priority, then started jobs, then the oldest job."""
        rows = self._db.execute(
            f"{_STEPS} WHERE environment = ? AND steps.state = 'ready'"
            " ORDER BY steps.priority DESC, started DESC, steps.job, position LIMIT ?",
            (environment, limit),
        )
        return [_step(row) for row in rows]

    def revive_waiting(self) -> None:
        """Make ready the steps whose retry was only in an earlier run's memory."""
        with self.transaction():
            self._db.execute("UPDATE steps SET state = 'ready' WHERE state = 'waiting' AND error IS NOT NULL")

    def wake(self, seq: int, name: str) -> None:
        """Make a step ready whose time to be tried again has come; nothing where it waits no more."""
        self._db.execute(
            "UPDATE steps SET state = 'ready' WHERE job = ? AND name = ? AND state = 'waiting'", (seq, name)
        )

    def current(self, identity: CallIdentity) -> StepRow | None:
        """Return the running step whose current attempt `identity` is; None for anything stale."""
        rows = self._db.execute(
            f"{_STEPS} WHERE jobs.id = ? AND name = ? AND attempt = ? AND run = ?"
            " AND steps.state = 'running'",
            (identity.job, identity.step, identity.attempt, identity.run),
        ).fetchone()
        return _step(rows) if rows else None

    def begin(self, step: StepRow, run: str, worker: str) -> CallIdentity:
        """Mark the step running as its next attempt and return the attempt's identity."""
        attempt = step.attempt + 1
        self._db.execute(
            "UPDATE steps SET state = 'running', attempt = ?, run = ?, worker = ?, error = NULL"
            " WHERE job = ? AND name = ?",
            (attempt, run, worker, step.seq, step.name),
        )
        self._db.execute("UPDATE steps SET started = 1 WHERE job = ? AND started = 0", (step.seq,))
        self._db.execute("UPDATE jobs SET state = 'running' WHERE seq = ?", (step.seq,))
        return CallIdentity(job=step.job, step=step.name, attempt=attempt, run=run)

    def finish(
        self, step: StepRow, result: Mapping[str, Any], artefacts: tuple[Artefact, ...], duration_ms: int
    ) -> None:
        """Mark the step done."""
        self._db.execute(
            "UPDATE steps SET state = 'done', result = ?, artefacts = ?, duration_ms = ?, error = NULL"
            " WHERE job = ? AND name = ?",
            (_json(result), _json(artefacts), duration_ms, step.seq, step.name),
        )

    def fail(self, step: StepRow, state: StepState, error: ErrorInfo, *, kills: int, failures: int) -> None:
        """Record a failed attempt: `state` is `waiting` for another one, else the end."""
        self._db.execute(
            "UPDATE steps SET state = ?, error = ?, kills = ?, failures = ? WHERE job = ? AND name = ?",
            (state, _json(error), kills, failures, step.seq, step.name),
        )

    def set_states(self, seq: int, states: Mapping[str, StepState], note: str = "") -> None:
        """Set the states of steps of a job."""
        self._db.executemany(
            "UPDATE steps SET state = ?, note = CASE WHEN ? = '' THEN note ELSE ? END"
            " WHERE job = ? AND name = ?",
            [(state, note, note, seq, name) for name, state in states.items()],
        )

    def set_language(self, seq: int, language: str, probability: float | None, notes: list[str]) -> None:
        """Record what asr found out about the film."""
        self._db.execute(
            "UPDATE jobs SET language = ?, language_probability = ?, notes = ? WHERE seq = ?",
            (language, probability, _json(notes), seq),
        )

    def set_job_state(self, seq: int, state: JobState, elapsed_ms: int | None = None) -> None:
        """Set the job's state; with `elapsed_ms` its end."""
        ended = now_iso() if elapsed_ms is not None else None
        self._db.execute(
            "UPDATE jobs SET state = ?, ended_at = ?, elapsed_ms = ? WHERE seq = ?",
            (state, ended, elapsed_ms, seq),
        )


_STEPS = "SELECT steps.*, jobs.id AS job_id FROM steps JOIN jobs ON jobs.seq = steps.job"


def _json(value: Any) -> str:
    return json.dumps(to_plain(value), ensure_ascii=False)


def _job(row: sqlite3.Row) -> JobRow:
    return JobRow(
        seq=row["seq"],
        id=row["id"],
        state=row["state"],
        submit=from_plain(Submit, json.loads(row["submit"])),
        directory=Path(row["directory"]),
        created_at=row["created_at"],
        ended_at=row["ended_at"],
        elapsed_ms=row["elapsed_ms"],
        language=row["language"],
        language_probability=row["language_probability"],
        notes=tuple(json.loads(row["notes"])),
    )


def _step(row: sqlite3.Row) -> StepRow:
    link = Link(needs=tuple(json.loads(row["needs"])), after=tuple(json.loads(row["after"])))
    return StepRow(
        seq=row["job"],
        job=row["job_id"],
        name=row["name"],
        stage=row["stage"],
        environment=row["environment"],
        target=row["target"],
        link=link,
        state=row["state"],
        attempt=row["attempt"],
        run=row["run"],
        worker=row["worker"],
        kills=row["kills"],
        failures=row["failures"],
        duration_ms=row["duration_ms"],
        result=json.loads(row["result"]) if row["result"] else None,
        artefacts=tuple(from_plain(Artefact, each) for each in json.loads(row["artefacts"])),
        note=row["note"],
        error=from_plain(ErrorInfo, json.loads(row["error"])) if row["error"] else None,
    )
