"""The job store: one SQLite file that holds all jobs and steps, written by the coordinator alone.

WAL with `synchronous=FULL`: what is committed survives a power cut. Every change of state is one
transaction. The coordinator sends and answers nothing before the commit that it depends on.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from coordinator.plan import PlannedStep
from coordinator.store.file import connect, identity
from coordinator.store.migrations import migrate
from coordinator.store.reading import JobReader
from coordinator.store.rows import JobRow, StepOutline, StepRow, as_json, outline_of, step_of
from protocol.artefacts import Artefact, sync_directory, sync_file
from protocol.clock import now_iso
from protocol.errors import ErrorInfo
from protocol.failpoints import reach
from protocol.messages import CallIdentity, JobState, StepState, Submit
from protocol.stages import demux

__all__ = ["JobRow", "StepOutline", "StepRow", "Store"]

_WHOLE = ("BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",))
_PART = ("SAVEPOINT part", "RELEASE part", ("ROLLBACK TO part", "RELEASE part"))


class Store(JobReader):
    """Reads and writes jobs and steps. Used by one thread."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Before SQLite opens it: SQLite gives its other files the mode of this one.
        path.touch(mode=0o600)
        self.path = path
        self._db = connect(path)
        migrate(self._db)
        self._file = identity(path)

    def is_in_place(self) -> bool:
        """Return whether its file is still where it was opened: somebody may have removed it."""
        return identity(self.path) == self._file

    def put_back(self) -> None:
        """Write the file again that was removed; nothing is lost, as the removed one is still open.

        Raises `sqlite3.Error` or `OSError` where it cannot be written; then nothing has changed.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_name(f"{self.path.name}.part")
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        with contextlib.closing(sqlite3.connect(part, isolation_level=None)) as copy:
            self._db.backup(copy)
        sync_file(part)
        for ending in ("-wal", "-shm"):
            # Of the removed file: SQLite would take them for this one's.
            self.path.with_name(self.path.name + ending).unlink(missing_ok=True)
        part.replace(self.path)
        sync_directory(self.path.parent)
        lost, self._db = self._db, connect(self.path)
        self._file = identity(self.path)
        lost.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all writes inside at once, or none; inside another transaction, commit with that one."""
        inside = self._db.in_transaction
        begin, commit, undo = _PART if inside else _WHOLE
        self._db.execute(begin)
        try:
            yield
            self._db.execute(commit)
        except BaseException:
            # On a full disk SQLite has already rolled back; after a failed COMMIT the transaction is open.
            if self._db.in_transaction:
                for statement in undo:
                    self._db.execute(statement)
            raise

    def in_transaction(self) -> bool:
        """Return whether there are writes that are not committed yet."""
        return self._db.in_transaction

    def change_count(self) -> int:
        """Return a number that grows with every row that is written."""
        return self._db.total_changes

    def get_fact(self, name: str) -> str:
        """Return a fact about the store itself, empty where there is none of this name."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (name,)).fetchone()
        return str(row["value"]) if row else ""

    def set_fact(self, name: str, value: str) -> None:
        """Write a fact about the store itself."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def next_epoch(self) -> str:
        """Count one more start of the coordinator and return its number, the run."""
        with self.transaction():
            row = self._db.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
            epoch = int(row["value"]) + 1 if row else 1
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('epoch', ?)", (str(epoch),))
            reach("coordinator.boot.epoch-before-commit")
        return str(epoch)

    def highest_number(self, prefix: str) -> int:
        """Return the highest number among job ids that start with `prefix`, 0 where there is none."""
        row = self._db.execute(
            "SELECT max(CAST(substr(id, ?) AS INTEGER)) AS top FROM jobs WHERE substr(id, 1, ?) = ?",
            (len(prefix) + 1, len(prefix), prefix),
        ).fetchone()
        return int(row["top"] or 0)

    def add_job(
        self, job: str, submit: Submit, folder: Path, steps: Iterable[PlannedStep], notes: list[str]
    ) -> None:
        """Add a job and the steps of its plan; inside a transaction."""
        cursor = self._db.execute(
            "INSERT INTO jobs (id, state, priority, submit, directory, created_at, notes, key)"
            " VALUES (?,?,?,?,?,?,?,?)",
            (
                job,
                "held" if submit.hold else "queued",
                submit.priority,
                as_json(submit),
                str(folder),
                now_iso(),
                as_json(notes),
                submit.key or None,
            ),
        )
        self._db.executemany(
            "INSERT INTO steps (job, position, name, stage, environment, target, choices, reasons,"
            " needs, after, state, priority) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
            [
                (
                    cursor.lastrowid,
                    position,
                    step.name,
                    step.stage,
                    step.environment,
                    step.target,
                    as_json(step.choices),
                    as_json(step.reasons),
                    as_json(step.needs),
                    as_json(step.after),
                    "waiting" if step.needs or step.after else "ready",
                    submit.priority,
                )
                for position, step in enumerate(steps)
            ],
        )

    def make_trial(self, trial: str, job: str) -> None:
        """Make the job `trial` one of another job's trials: it is in no list."""
        self._db.execute("UPDATE jobs SET part_of = ? WHERE id = ?", (job, trial))

    def steps(self, job: str) -> list[StepRow]:
        """Return the job's steps in the order of its plan."""
        rows = self._db.execute(f"{_STEPS} WHERE jobs.id = ? ORDER BY position", (job,))
        return [step_of(row) for row in rows]

    def outlines(self, most_jobs: int) -> Iterator[StepOutline]:
        """Yield the steps of the jobs that run or come next, job by job, in the order of the plans."""
        for row in self._db.execute(_OUTLINES, (demux.STAGE.name, most_jobs)):
            yield outline_of(row)

    def sound_ms(self, seq: int) -> int:
        """Return the length of a job's sound; 0 where it is not known yet."""
        row = self._db.execute(
            f"SELECT {_SOUND_MS} AS sound_ms FROM steps WHERE job = ? AND stage = ?",  # noqa: S608 (constant)
            (seq, demux.STAGE.name),
        ).fetchone()
        return int(row["sound_ms"] or 0) if row else 0

    def running_steps(self) -> list[StepRow]:
        """Return every step in the state `running`."""
        return [step_of(row) for row in self._db.execute(_RUNNING)]

    def running_steps_of(self, worker: str) -> list[StepRow]:
        """Return the steps in the state `running` that this worker was given."""
        return [step_of(row) for row in self._db.execute(f"{_RUNNING} AND worker = ?", (worker,))]

    def ready_steps(self, environment: str, limit: int, skipped: int = 0) -> list[StepRow]:
        """Return the next steps of an environment: by priority, then started jobs, then the oldest job.

        The first `skipped` of them are left out.
        """
        rows = self._db.execute(
            f"{_STEPS} WHERE environment = ? AND steps.state = 'ready' AND jobs.state <> 'held'"
            " ORDER BY steps.priority DESC, started DESC, steps.job, position LIMIT ? OFFSET ?",
            (environment, limit, skipped),
        )
        return [step_of(row) for row in rows]

    def revive_waiting(self) -> None:
        """Make ready the steps that wait for a retry: its time was only in the memory of an earlier run."""
        with self.transaction():
            self._db.execute("UPDATE steps SET state = 'ready' WHERE state = 'waiting' AND error IS NOT NULL")

    def wake(self, seq: int, name: str) -> None:
        """Make a step ready for its next try; nothing where it does not wait for one any more."""
        self._db.execute(
            # Without an error it waits for other steps: it was renewed since, and must not begin before them.
            "UPDATE steps SET state = 'ready'"
            " WHERE job = ? AND name = ? AND state = 'waiting' AND error IS NOT NULL",
            (seq, name),
        )

    def current(self, identity: CallIdentity) -> StepRow | None:
        """Return the running step with this current attempt; None where the attempt is not current."""
        rows = self._db.execute(
            f"{_STEPS} WHERE jobs.id = ? AND name = ? AND attempt = ? AND run = ?"
            " AND steps.state = 'running'",
            (identity.job, identity.step, identity.attempt, identity.run),
        ).fetchone()
        return step_of(rows) if rows else None

    def begin(self, step: StepRow, run: str, worker: str, key: str = "") -> CallIdentity:
        """Mark the step running as its next attempt and return the attempt's identity."""
        attempt = step.attempt + 1
        self._db.execute(
            "UPDATE steps SET state = 'running', attempt = ?, begun_at = ?, run = ?, worker = ?,"
            " step_key = ?, error = NULL, started = 1 WHERE job = ? AND name = ?",
            (attempt, now_iso(), run, worker, key, step.seq, step.name),
        )
        self._db.execute("UPDATE steps SET started = 1 WHERE job = ? AND started = 0", (step.seq,))
        self._db.execute(
            "UPDATE jobs SET state = 'running' WHERE seq = ? AND state <> 'running'", (step.seq,)
        )
        return CallIdentity(job=step.job, step=step.name, attempt=attempt, run=run)

    def find_done(self, key: str, step: StepRow) -> StepRow | None:
        """Return the newest finished step with this key that is not `step` itself."""
        # The second condition lets SQLite use the partial index; without it, SQLite reads every step.
        row = self._db.execute(
            f"{_STEPS} WHERE step_key = ? AND step_key <> '' AND steps.state = 'done'"
            " AND part_of = '' AND NOT (steps.job = ? AND name = ?) ORDER BY steps.job DESC LIMIT 1",
            (key, step.seq, step.name),
        ).fetchone()
        return step_of(row) if row else None

    def assign(
        self, seq: int, name: str, environment: str, choices: Mapping[str, Any], reasons: Iterable[str]
    ) -> None:
        """Give a step that has not begun another environment."""
        self._db.execute(
            "UPDATE steps SET environment = ?, choices = ?, reasons = ? WHERE job = ? AND name = ?",
            (environment, as_json(dict(choices)), as_json(list(reasons)), seq, name),
        )

    def set_note(self, step: StepRow, note: str) -> None:
        """Set the sentence about a step that people read."""
        self._db.execute("UPDATE steps SET note = ? WHERE job = ? AND name = ?", (note, step.seq, step.name))

    def finish(
        self, step: StepRow, result: Mapping[str, Any], artefacts: tuple[Artefact, ...], duration_ms: int
    ) -> None:
        """Mark the step done."""
        self._db.execute(
            "UPDATE steps SET state = 'done', result = ?, artefacts = ?, duration_ms = ?, error = NULL"
            " WHERE job = ? AND name = ?",
            (as_json(result), as_json(artefacts), duration_ms, step.seq, step.name),
        )

    def fail(self, step: StepRow, state: StepState, error: ErrorInfo, *, kills: int, failures: int) -> None:
        """Record a failed attempt: `state` is `waiting` where another one follows, else the step's end."""
        self._db.execute(
            "UPDATE steps SET state = ?, error = ?, kills = ?, failures = ? WHERE job = ? AND name = ?",
            (state, as_json(error), kills, failures, step.seq, step.name),
        )

    def set_states(self, seq: int, states: Mapping[str, StepState], note: str = "") -> None:
        """Set the states of steps of a job."""
        self._db.executemany(
            "UPDATE steps SET state = ?, note = CASE WHEN ? = '' THEN note ELSE ? END"
            " WHERE job = ? AND name = ?",
            [(state, note, note, seq, name) for name, state in states.items()],
        )

    def renew(self, seq: int, names: Iterable[str]) -> None:
        """Let steps wait as if never tried. Attempts go on counting, so that late results are refused."""
        self._db.executemany(
            "UPDATE steps SET state = 'waiting', kills = 0, failures = 0, error = NULL, note = '',"
            " result = NULL, artefacts = '[]', duration_ms = NULL WHERE job = ? AND name = ?",
            [(seq, name) for name in names],
        )

    def remove_job(self, seq: int) -> None:
        """Remove a job and its steps."""
        self._db.execute("DELETE FROM jobs WHERE seq = ?", (seq,))

    def set_language(
        self, seq: int, language: str | None, probability: float | None, notes: list[str]
    ) -> None:
        """Record the language that asr found."""
        self._db.execute(
            "UPDATE jobs SET language = ?, language_probability = ?, notes = ? WHERE seq = ?",
            (language, probability, as_json(notes), seq),
        )

    def set_submit(self, seq: int, submit: Submit) -> None:
        """Replace what the person submitted: parameters that a retry changed."""
        self._db.execute("UPDATE jobs SET submit = ? WHERE seq = ?", (as_json(submit), seq))

    def set_job_state(self, seq: int, state: JobState, elapsed_ms: int | None = None) -> None:
        """Set the job's state; `elapsed_ms` is given when the job has ended."""
        ended = now_iso() if elapsed_ms is not None else None
        self._db.execute(
            "UPDATE jobs SET state = ?, ended_at = ?, elapsed_ms = ? WHERE seq = ?",
            (state, ended, elapsed_ms, seq),
        )


_STEPS = "SELECT steps.*, jobs.id AS job_id FROM steps JOIN jobs ON jobs.seq = steps.job"
_RUNNING = f"""
    WITH RECURSIVE known (name) AS (
        SELECT min(environment) FROM steps
        UNION ALL
        SELECT (SELECT min(environment) FROM steps WHERE environment > known.name)
        FROM known WHERE known.name IS NOT NULL
    )
    {_STEPS} WHERE environment IN known AND steps.state = 'running'
"""  # noqa: S608 (constants)
"""By the index of states, environment by environment: every worker that says hello asks this."""
_SOUND_MS = "json_extract(result, '$.audio_duration_ms')"
_OUTLINES = f"""
    SELECT steps.job, jobs.id AS job_id, position, name, stage, environment, choices, needs, after,
        steps.state, steps.priority, started, begun_at, CASE stage WHEN ? THEN {_SOUND_MS} END AS sound_ms
    FROM steps JOIN jobs ON jobs.seq = steps.job
    WHERE steps.job IN (
        SELECT seq FROM jobs WHERE state IN ('queued', 'running')
        ORDER BY state = 'running' DESC, priority DESC, seq LIMIT ?
    )
    ORDER BY steps.job, position
"""  # noqa: S608 (constants)
