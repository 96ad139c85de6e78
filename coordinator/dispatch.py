"""Sends calls to workers, takes outcomes in: commit, then send; check, rename, commit, acknowledge."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from coordinator import jobdir, planner
from coordinator.health import last_exit
from coordinator.link import Gone, Link
from coordinator.recipes import Results, build_request
from coordinator.roster import Member, Roster
from coordinator.scheduler import Retry, after_failure, job_state, settle
from coordinator.store import JobRow, StepRow, Store
from protocol.clock import since_iso_ms
from protocol.errors import BugError, CpwError, ErrorInfo, ErrorKind, info_from_error
from protocol.frames import Header
from protocol.messages import Ack, Call, CallIdentity, Cancel, Failure, Result
from protocol.schema import from_plain, to_plain
from protocol.stages import STAGES
from protocol.stages.asr import AsrResult
from protocol.stages.demux import DemuxResult

__all__ = ["Dispatcher"]

log = logging.getLogger(__name__)

_TAIL_LINES = 40
_KILLS = (ErrorKind.HUNG, ErrorKind.CRASHED)


class Dispatcher:
    """The shell around `scheduler`: store, link and roster, all used by the loop's thread alone."""

    def __init__(self, store: Store, link: Link, roster: Roster, run: str, runtime: Path) -> None:
        self._store = store
        self._link = link
        self._roster = roster
        self._run = run
        self._runtime = runtime
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
                self._send(step, member)

    def _wake_delayed(self, now_s: float) -> None:
        due = [each for each in self._delayed if each[0] <= now_s]
        self._delayed = [each for each in self._delayed if each[0] > now_s]
        for _, seq, name in due:
            self._store.set_states(seq, {name: "ready"})

    def _send(self, step: StepRow, member: Member) -> None:
        job = self._store.job(step.job)
        assert job is not None
        try:
            call = self._make_call(job, step)
        except CpwError as error:
            with self._store.transaction():
                self._conclude(job, step, info_from_error(error), 0.0)
            return
        with self._store.transaction():
            identity = self._store.begin(step, self._run, member.name)
        header = Header(run=self._run, job=step.job, step=step.name, attempt=identity.attempt)
        member.call = identity
        member.state = "busy"
        try:
            self._link.send("w", member.name.encode(), header, call)
        except Gone:
            log.info("%s left before it could be given %s", member.name, identity)
            # It never got the call: this attempt is nobody's fault, and the roster's next ping finds out.
            self._store.set_states(step.seq, {step.name: "ready"})
            member.doomed = True
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
        job = self._store.job(identity.job)
        assert job is not None
        folder, scratch = STAGES[step.stage].folder, jobdir.scratch_of(step.name, identity.attempt)
        future = self._pool.submit(jobdir.accept, job.directory, scratch, folder, result.artefacts)
        self._settling[identity] = (future, step, result)
        future.add_done_callback(lambda _: self._link.wake())

    def finish_settled(self, now_s: float) -> None:
        """Commit the results whose files have been accepted, and acknowledge them."""
        done = [identity for identity, (future, _, _) in self._settling.items() if future.done()]
        for identity in done:
            future, step, result = self._settling.pop(identity)
            job = self._store.job(step.job)
            assert job is not None
            try:
                future.result()
                # What does not keep the stage's contract is not a result.
                from_plain(STAGES[step.stage].result, result.result)
            except (CpwError, OSError) as error:
                with self._store.transaction():
                    self._conclude(job, step, info_from_error(error), now_s)
            else:
                with self._store.transaction():
                    self._store.finish(step, result.result, result.artefacts, result.duration_ms)
                    self._learn_language(job, step, result)
                    self._propagate(job)
            self.progress.pop((step.job, step.name), None)
            self._acknowledge(step.worker.encode(), identity)
            self._tell(job)

    def on_failure(self, identity: CallIdentity, failure: Failure, peer: bytes, now_s: float) -> None:
        """Take a failure in."""
        self._release(peer, identity)
        step = self._store.current(identity)
        if step is not None:
            job = self._store.job(step.job)
            assert job is not None
            with self._store.transaction():
                self._conclude(job, step, failure.error, now_s)
            self._tell(job)
        self._acknowledge(peer, identity)

    def lose(self, step: StepRow, now_s: float, *, blame: bool) -> None:
        """Conclude that the running attempt is lost; with `blame` its worker died under it."""
        job = self._store.job(step.job)
        assert job is not None
        if not blame:
            self._store.set_states(step.seq, {step.name: "ready"})
            return
        with self._store.transaction():
            self._conclude(job, step, self._describe_death(job, step), now_s)
        self._tell(job)

    def _describe_death(self, job: JobRow, step: StepRow) -> ErrorInfo:
        gone = last_exit(self._runtime, step.environment)
        stack = Path(str(gone["stack"])) if gone.get("stack") else None
        details = stack.read_text(errors="replace")[-20_000:] if stack and stack.exists() else ""
        step_log = job.directory / "logs" / f"{step.name}.log"
        if step_log.exists():
            tail = step_log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
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
        changes = settle(states, {each.name: each.link for each in steps})
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
            log.info("%s left before it heard %s", peer.decode(), type(message).__name__)

    def _tell(self, job: JobRow) -> None:
        """Renew the job's manifest for people and scripts; a full disk must not stop the loop."""
        current = self._store.job(job.id)
        if current is None:
            message = f"The job {job.id} is gone."
            raise BugError(message)
        try:
            jobdir.write_manifest(current, self._store.steps(job.id))
        except OSError as error:
            log.warning("the manifest of %s cannot be written: %s", job.id, error)

    def settling(self) -> bool:
        """Tell whether results are still being taken in."""
        return bool(self._settling)

    def close(self) -> None:
        """Wait for the files that are being accepted."""
        self._pool.shutdown(wait=True)
