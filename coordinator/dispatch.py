"""Sends calls to workers, takes outcomes in: commit, then send; check, rename, commit, acknowledge."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from coordinator import jobdir, planner
from coordinator.link import Gone, Link
from coordinator.recipes import Results, build_request
from coordinator.roster import Member, Roster
from coordinator.scheduler import Retry, after_failure, job_state, settle
from coordinator.store import JobRow, StepRow, Store
from protocol.clock import since_iso_ms
from protocol.errors import BugError, CpwError, ErrorInfo, ErrorKind, info_from_error
from protocol.frames import Header, encode
from protocol.messages import Ack, Call, CallIdentity, Cancel, Failure, Result
from protocol.schema import from_plain, to_plain
from protocol.stages import STAGES
from protocol.stages.asr import AsrResult
from protocol.stages.demux import DemuxResult

__all__ = ["Dispatcher"]

log = logging.getLogger(__name__)

_TAIL_LINES = 40
_TAIL_BYTES = 20_000
_KILLS = (ErrorKind.HUNG, ErrorKind.CRASHED)


class Dispatcher:
    """The shell around `scheduler`: store, link and roster, all used by the loop's thread alone."""

    def __init__(self, store: Store, link: Link, roster: Roster, run: str) -> None:
        self._store = store
        self._link = link
        self._roster = roster
        self._run = run
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="accept")
        self._settling: dict[CallIdentity, tuple[Future[None], StepRow, Result]] = {}
        self._delayed: list[tuple[float, int, str]] = []
        self.progress: dict[tuple[str, str], float] = {}

    def send_ready(self, now_s: float) -> None:
        """Give free workers the next ready steps of their environments."""
        self._wake_delayed(now_s)
        for environment in self._roster.environments():
            free = self._roster.free_in(environment)
            if not free:
                continue
            steps = self._store.ready_steps(environment, len(free))
            for member, step in zip(free, steps, strict=False):
                with self._blaming(step, now_s):
                    self._send(step, member)

    @contextlib.contextmanager
    def _blaming(self, step: StepRow, now_s: float) -> Iterator[None]:
        """Let what goes wrong inside end this step's attempt and nothing else.

        Everything is caught but the store's own errors: whatever one job's data provokes in planner,
        schema or msgpack would otherwise end the loop, and again after each restart.
        """
        try:
            yield
        except sqlite3.Error:
            raise
        except Exception as error:
            if not isinstance(error, CpwError):
                log.exception("%s %s: not foreseen", step.job, step.name)
            self._fail(step, info_from_error(error), now_s)

    def _fail(self, step: StepRow, error: ErrorInfo, now_s: float) -> None:
        job = self._job_of(step)
        with self._store.transaction():
            self._conclude(job, step, error, now_s)
        self._tell(job)

    def _job_of(self, step: StepRow) -> JobRow:
        job = self._store.job(step.job)
        assert job is not None, "a step without its job: the foreign key forbids it"
        return job

    def _wake_delayed(self, now_s: float) -> None:
        due = [each for each in self._delayed if each[0] <= now_s]
        self._delayed = [each for each in self._delayed if each[0] > now_s]
        for _, seq, name in due:
            self._store.wake(seq, name)

    def _send(self, step: StepRow, member: Member) -> None:
        job = self._job_of(step)
        call = self._make_call(job, step)
        header = Header(run=self._run, job=step.job, step=step.name, attempt=step.attempt + 1)
        frames = encode("Call", header, call)  # before the commit: what cannot be sent is not begun
        with self._store.transaction():
            identity = self._store.begin(step, self._run, member.name)
        try:
            self._link.send_frames("w", member.name.encode(), frames)
        except Gone:
            log.info("%s left before it could be given %s", member.name, identity)
            # It never got the call: this attempt is nobody's fault, and the roster's next ping finds out.
            self._store.set_states(step.seq, {step.name: "ready"})
            member.unheard = True
        else:
            member.call = identity
            member.state = "busy"
        self._tell(job)

    def _make_call(self, job: JobRow, step: StepRow) -> Call:
        stage = STAGES[step.stage]
        by_step = {each.name: each.result for each in self._store.steps(job.id) if each.result is not None}
        results = Results(by_step)
        title, _ = planner.title_of(job.submit)
        request = build_request(step.stage, job.submit, title, step.target, results)
        media_ms = from_plain(DemuxResult, by_step["demux"]).audio_duration_ms if "demux" in by_step else 0
        return Call(
            stage=step.stage,
            schema_version=stage.version,
            job_directory=str(job.directory),
            scratch=jobdir.scratch_of(step.name, step.attempt + 1),
            folder=stage.folder,
            budget_ms=round(stage.budget_ms + stage.budget_per_media * media_ms),
            request=to_plain(request),
            debug=job.submit.debug,
        )

    def on_result(self, identity: CallIdentity, result: Result, peer: bytes) -> None:
        """Take a result in: check and rename on another thread, commit when that is done."""
        self._release(peer, identity)
        step = self._store.current(identity)
        if step is None:
            log.info("a stale result of %s: acknowledged, not taken", identity)
            self._acknowledge(peer, identity)
            return
        if identity in self._settling:
            return
        job = self._job_of(step)
        folder, scratch = STAGES[step.stage].folder, jobdir.scratch_of(step.name, identity.attempt)
        future = self._pool.submit(jobdir.accept, job.directory, scratch, folder, result.artefacts)
        self._settling[identity] = (future, step, result)
        future.add_done_callback(lambda _: self._link.wake())

    def finish_settled(self, now_s: float) -> None:
        """Commit the results whose files have been accepted, and acknowledge them."""
        done = [identity for identity, (future, _, _) in self._settling.items() if future.done()]
        for identity in done:
            future, step, result = self._settling.pop(identity)
            with self._blaming(step, now_s):
                future.result()
                self._finish(step, result)
            self._acknowledge(step.worker.encode(), identity)

    def _finish(self, step: StepRow, result: Result) -> None:
        # What does not keep the stage's contract is not a result; what it holds beyond it is left out.
        kept = to_plain(from_plain(STAGES[step.stage].result, result.result))
        job = self._job_of(step)
        with self._store.transaction():
            self._store.finish(step, kept, result.artefacts, result.duration_ms)
            self._learn_language(job, step, result)
            self._propagate(job)
        self.progress.pop((step.job, step.name), None)
        self._tell(job)

    def on_failure(self, identity: CallIdentity, failure: Failure, peer: bytes, now_s: float) -> None:
        """Take a failure in."""
        self._release(peer, identity)
        step = self._store.current(identity)
        if step is not None:
            self._fail(step, failure.error, now_s)
        self._acknowledge(peer, identity)

    def lose(self, step: StepRow, now_s: float, gone: Mapping[str, object] | None = None) -> None:
        """Conclude that the running attempt is lost; `gone` is how its worker died under it, if it did.

        A step whose result is being taken in has not lost anything with its worker.
        """
        if step.identity in self._settling or self._store.current(step.identity) is None:
            return
        if gone is not None:
            self._fail(step, self._describe_death(self._job_of(step), step, gone), now_s)
            return
        self._store.set_states(step.seq, {step.name: "ready"})
        self.progress.pop((step.job, step.name), None)

    def _describe_death(self, job: JobRow, step: StepRow, gone: Mapping[str, object]) -> ErrorInfo:
        details = _end_of(Path(str(gone["stack"]))) if gone.get("stack") else ""
        tail = _end_of(job.directory / "logs" / f"{step.name}.log").splitlines()[-_TAIL_LINES:]
        if tail:
            details += "\nlast output:\n" + "\n".join(tail)
        if details.startswith("Timeout"):
            kind, how = ErrorKind.HUNG, "took longer than its budget and was ended"
        else:
            kind, how = ErrorKind.CRASHED, "died"
        message = f"The worker {step.environment} {how} in {step.name} (attempt {step.attempt})."
        return ErrorInfo(kind=kind, message=message, remedy=f"cpw logs {job.id}", details=details)

    def _conclude(self, job: JobRow, step: StepRow, error: ErrorInfo, now_s: float) -> None:
        """Record a failed attempt and what follows; inside a transaction."""
        kills = step.kills + (error.kind in _KILLS)
        failures = step.failures + (error.kind not in _KILLS)
        verdict = after_failure(error.kind, failures, kills)
        state = "waiting" if isinstance(verdict, Retry) else verdict
        self._store.fail(step, state, error, kills=kills, failures=failures)
        self.progress.pop((step.job, step.name), None)
        log.warning("%s %s: %s -> %s", job.id, step.name, error.message, verdict)
        if isinstance(verdict, Retry):
            self._delayed.append((now_s + verdict.delay_ms / 1000, step.seq, step.name))
        else:
            self._propagate(job)

    def _learn_language(self, job: JobRow, step: StepRow, result: Result) -> None:
        if step.stage != "asr":
            return
        asr = from_plain(AsrResult, result.result)
        title, _ = planner.title_of(job.submit)
        refined = planner.refine(job.submit, asr.language, title)
        notes = [*job.notes, *(each for each in refined.notes if each not in job.notes)]
        self._store.set_language(step.seq, asr.language, asr.language_probability, notes)
        self._store.set_states(step.seq, dict.fromkeys(refined.skipped, "skipped"))

    def _propagate(self, job: JobRow) -> None:
        """Let the states of the job's steps, and its own, follow; inside a transaction."""
        steps = self._store.steps(job.id)
        states = {each.name: each.state for each in steps}
        # A step that waits for its next try is woken by its time, not by what it waited for at first.
        links = {each.name: each.link for each in steps if each.state != "waiting" or each.error is None}
        changes = settle(states, links)
        self._store.set_states(job.seq, changes)
        state = job_state(states | changes)
        if state in ("done", "failed", "cancelled"):
            self._store.set_job_state(job.seq, state, since_iso_ms(job.created_at))
            log.info("%s is %s", job.id, state)

    def _release(self, peer: bytes, identity: CallIdentity) -> None:
        member = self._roster.members.get(peer.decode("ascii", "replace"))
        if member is not None and member.call == identity:
            member.call = None
            member.state = "ready"

    def _acknowledge(self, peer: bytes, identity: CallIdentity) -> None:
        self._to_worker(peer, identity, Ack())

    def cancel_call(self, peer: bytes, identity: CallIdentity) -> None:
        """Tell a worker to stop a call that nobody waits for any more."""
        self._to_worker(peer, identity, Cancel())

    def _to_worker(self, peer: bytes, identity: CallIdentity, message: Ack | Cancel) -> None:
        header = Header(run=identity.run, job=identity.job, step=identity.step, attempt=identity.attempt)
        try:
            self._link.send("w", peer, header, message)
        except Gone:
            log.info("%r left before it heard %s", peer, type(message).__name__)

    def _tell(self, job: JobRow) -> None:
        """Renew the job's manifest for people and scripts; a full disk must not stop the loop.

        Of a job that has ended no worker writes any more: what killed attempts have left goes too.
        """
        current = self._store.job(job.id)
        if current is None:
            message = f"The job {job.id} is gone."
            raise BugError(message)
        try:
            jobdir.write_manifest(current, self._store.steps(job.id))
        except OSError as error:
            log.warning("the manifest of %s cannot be written: %s", job.id, error)
        if current.ended_at is not None:
            jobdir.clear_scratch(current.directory)

    def settling(self) -> bool:
        """Tell whether results are still being taken in."""
        return bool(self._settling)

    def close(self) -> None:
        """Wait for the files that are being accepted."""
        self._pool.shutdown(wait=True)


def _end_of(path: Path) -> str:
    """Return the end of a text that is there for people; a file that cannot be read has none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
