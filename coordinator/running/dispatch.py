"""Sends calls and takes in their outcomes: commit, then send; check, rename, commit, acknowledge."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from coordinator.link import Gone, Link
from coordinator.nodes.nodes import Nodes
from coordinator.nodes.placing import fitted
from coordinator.running.acceptance import Acceptance, Accepted
from coordinator.running.calls import make_call, work_of
from coordinator.running.cores import CoreShares
from coordinator.running.film_language import record_language
from coordinator.running.handover import hand_over, keep_draft, to_next
from coordinator.running.interrupting import Interrupting
from coordinator.running.manifests import Manifests
from coordinator.running.pairing import Pairing
from coordinator.running.roster import Member, Roster
from coordinator.running.scheduler import Retry, after_failure, follow_up, job_state
from coordinator.running.step_notes import remark
from coordinator.running.taking_over import NOBODY, TakingOver
from coordinator.running.worker_death import describe_death
from coordinator.store import job_folder
from coordinator.store.beside import put_beside
from coordinator.store.store import JobRow, StepRow, Store
from coordinator.timing.courses import Courses
from coordinator.timing.figures import Figures
from coordinator.timing.rates import Rates
from protocol.clock import since_iso_ms
from protocol.errors import CpwError, ErrorInfo, ErrorKind, info_from_error
from protocol.failpoints import reach
from protocol.frames import Header, encode
from protocol.messages import Ack, CallIdentity, Cancel, Cores, Failure, Result, Unload
from protocol.schema import from_plain, to_plain
from protocol.stages import LANGUAGE_STAGES, STAGES
from protocol.supervisor import ChildExit

__all__ = ["Dispatcher"]

log = logging.getLogger(__name__)

_KILLS = (ErrorKind.HUNG, ErrorKind.CRASHED)


class Dispatcher:
    """Acts on what `scheduler` decides, on store, link and roster. Used by the loop's thread alone."""

    def __init__(
        self,
        store: Store,
        link: Link,
        roster: Roster,
        run: str,
        cores: CoreShares | None = None,
        nodes: Nodes | None = None,
    ) -> None:
        self._store = store
        self._link = link
        self._roster = roster
        self.run = run
        """This start of the coordinator."""
        self.cores = cores or CoreShares()
        self._acceptance = Acceptance(link.wake)
        self._delayed: list[tuple[float, int, str]] = []
        self._nothing_ready: tuple[int, int, list[str]] = (-1, -1, [])
        """Store, nodes and free workers at the last look: where none has changed, no step is ready."""
        self.nodes = nodes or Nodes()
        self.pairing = Pairing(store, self.nodes)
        self._interrupting = Interrupting(store, roster, self.pairing.may)
        self._taking_over = TakingOver(store, self._acceptance)
        self._after_commit: list[Callable[[], None]] = []
        self._manifests = Manifests(store)
        self._manifests.catch_up()
        self.progress = Courses()
        self.rates = Rates(store.get_fact, store.set_fact)
        self.figures = Figures()

    @contextlib.contextmanager
    def together(self, now_s: float) -> Iterator[None]:
        """Commit everything that is done inside at once, then send the messages and have manifests written.

        A commit waits for the disk. With one commit a turn of the loop, many steps share that wait.
        """
        with self._store.transaction():
            yield
        actions, self._after_commit = self._after_commit, []
        for act in actions:
            act()
        self._manifests.write(now_s)

    def _once_committed(self, act: Callable[[], None]) -> None:
        """Act after the commit of what was written so far."""
        if self._store.in_transaction():
            self._after_commit.append(act)
        else:
            act()

    def send_ready(self, now_s: float) -> None:
        """Give workers the next ready steps of their environments; some are done inside a running call."""
        self._wake_delayed(now_s)
        self._send_to_free(now_s)
        for step, member in self._interrupting.look(now_s, self.progress):
            with self._failing(step, now_s):
                self._send(step, member, inside=True)

    def _send_to_free(self, now_s: float) -> None:
        roster = self._roster
        self.pairing.look()
        openings_of = {name: found for name in roster.environments() if (found := roster.openings(name))}
        open_now = sorted(member.name for openings in openings_of.values() for member in openings)
        if (seen := (self._store.change_count(), self.nodes.changes, open_now)) == self._nothing_ready:
            return
        self._nothing_ready = seen
        for environment, openings in openings_of.items():
            for step, member in self.pairing.pairs(environment, openings):
                with self._failing(step, now_s):
                    self._send(step, member)

    def share_cores(self) -> None:
        """Tell the workers how many cores their calls may keep busy, before they get the calls."""
        for name, count in self.cores.look(self._roster.members.values(), self.nodes.cores()):
            try:
                self._link.send("w", name.encode(), Header(run=self.run), Cores(count=count))
            except Gone:
                # If it comes back, it says hello and is told again.
                log.info("%s left before it was told its cores", name)

    @contextlib.contextmanager
    def _failing(self, step: StepRow, now_s: float) -> Iterator[None]:
        """Turn an error inside into the failure of this step's attempt.

        All errors are caught except the store's own. Otherwise one job's data, by an error in planner, schema
        or msgpack, would end the loop, and end it again after each restart.
        """
        try:
            yield
        except sqlite3.Error:
            raise
        except Exception as error:
            if not isinstance(error, CpwError):
                log.exception("%s %s: an error that nobody expected", step.job, step.name)
            self._fail(step, info_from_error(error), now_s)

    def has_delayed(self) -> bool:
        """Return whether a step waits for the time of its next try."""
        return bool(self._delayed)

    def _fail(self, step: StepRow, error: ErrorInfo, now_s: float) -> None:
        job = self._store.job_of(step)
        with self._store.transaction():
            self._conclude(job, step, error, now_s)
            reach("coordinator.failure.before-commit")
        self._once_committed(lambda: reach("coordinator.failure.committed"))
        self.note_change(job)

    def _wake_delayed(self, now_s: float) -> None:
        due = [delayed for delayed in self._delayed if delayed[0] <= now_s]
        self._delayed = [delayed for delayed in self._delayed if delayed[0] > now_s]
        for _, seq, name in due:
            self._store.wake(seq, name)
            reach("coordinator.retry.woken")

    def _send(self, step: StepRow, member: Member, *, inside: bool = False) -> None:
        job = self._store.job_of(step)
        steps = self._store.steps(job.id)
        node = self.nodes.of(member.name)
        call = make_call(job, fitted(step, job, node) if node else step, steps, inside=inside)
        key = self._taking_over.key_of(job, step, call, member.build)
        if self._taking_over.begin(job, step, key, call, self.run):
            return
        header = Header(run=self.run, job=step.job, step=step.name, attempt=step.attempt + 1)
        frames = encode("Call", header, call)  # before the commit: a call that cannot be encoded never begins
        reach("coordinator.call.chosen")
        with self._store.transaction():
            identity = self._store.begin(step, self.run, member.name, key)
            reach("coordinator.call.before-commit")
        member.take(identity, work_of(step, steps))
        self._once_committed(partial(self._send_call, step, member, identity, frames))
        self.note_change(job)

    def _send_call(self, step: StepRow, member: Member, identity: CallIdentity, frames: list[bytes]) -> None:
        reach("coordinator.call.committed")
        try:
            self._link.send_frames("w", member.name.encode(), frames)
        except Gone:
            log.info("%s left before %s could be sent to it", member.name, identity)
            # It never got the call, so the step is not blamed. The next ping tells whether it has died.
            self._store.set_states(step.seq, {step.name: "ready"})
            member.release(identity)
            member.unreachable = True
        else:
            reach("coordinator.call.sent")

    def on_result(self, identity: CallIdentity, result: Result, peer: bytes) -> None:
        """Take in a result: check and rename its files on another thread, commit when that is done."""
        reach("coordinator.result.received")
        self._release(peer, identity, result)
        step = self._store.current(identity)
        if step is None:
            log.info("a result of %s comes too late: acknowledged and dropped", identity)
            self._remove_scratch(identity)
            self._acknowledge(peer, identity)
            return
        if identity in self._acceptance:
            return
        move = partial(_move, self._store.job_of(step), step, result) if result.artefacts else None
        self._acceptance.begin(step, result, move)

    def finish_accepted(self, now_s: float) -> None:
        """Commit the results whose files have been accepted, and acknowledge them."""
        for accepted in self._acceptance.collect():
            step = accepted.step
            if self._store.current(step.identity) is None:
                log.info("%s was cancelled while its files were accepted", step.identity)
                self._acknowledge(step.worker.encode(), step.identity)
            elif step.worker == NOBODY and accepted.problem is not None:
                self._taking_over.give_up(step, accepted.problem)
            else:
                self._finish_or_fail(accepted, now_s)

    def _finish_or_fail(self, accepted: Accepted, now_s: float) -> None:
        step = accepted.step
        with self._failing(step, now_s):
            if accepted.problem is not None:
                raise accepted.problem
            reach("coordinator.result.files-accepted")
            self._finish(step, accepted.result, accepted.said)
        if step.worker != NOBODY:
            self._once_committed(lambda: reach("coordinator.result.before-acknowledge"))
            self._acknowledge(step.worker.encode(), step.identity)
            self._once_committed(lambda: reach("coordinator.result.acknowledged"))

    def _finish(self, step: StepRow, result: Result, said: str) -> None:
        # A result that breaks the stage's contract raises here; fields beyond the contract are left out.
        given: Any = from_plain(STAGES[step.stage].result, result.result)
        kept = to_plain(given)
        job = self._store.job_of(step)
        with self._store.transaction():
            self._store.finish(step, kept, result.artefacts, result.duration_ms)
            sound_ms = self._store.sound_ms(step.seq)
            self.rates.note_step(job, step, sound_ms, result.duration_ms)
            if step.stage in LANGUAGE_STAGES and record_language(self._store, job, step, given):
                self._manifests.note_translators(job.id)
            if note := f"{remark(step, kept)} {said}".strip():
                step = dataclasses.replace(step, note=f"{step.note} {note}".strip())
                self._store.set_note(step, step.note)
            handed_over = hand_over(self._store, job, step, given)
            self.propagate(job)
            reach("coordinator.result.before-commit")
        self._once_committed(lambda: reach("coordinator.result.committed"))
        if not handed_over:
            self.figures.done(step, sound_ms, result.duration_ms)
        self.progress.forget((step.job, step.name))
        self.note_change(job)

    def on_failure(self, identity: CallIdentity, failure: Failure, peer: bytes, now_s: float) -> None:
        """Take in a failure."""
        reach("coordinator.failure.received")
        self._release(peer, identity, failure)
        step = self._store.current(identity)
        if step is not None:
            self._fail(step, failure.error, now_s)
            if failure.error.kind is ErrorKind.RESOURCE:
                # Before the next call, which would need memory that the same models still take.
                self._to_worker(peer, identity, Unload())
        self._acknowledge(peer, identity)
        self._once_committed(lambda: reach("coordinator.failure.acknowledged"))

    def lose(self, step: StepRow, now_s: float, death: ChildExit | None = None) -> None:
        """Conclude that the running attempt is lost.

        With `death`, the exit that the supervisor recorded (bare: none), the attempt failed: it killed the
        worker. Without, the step is ready again. A step whose files are being accepted has lost nothing.
        """
        if step.identity in self._acceptance or self._store.current(step.identity) is None:
            return
        if death is not None:
            self._fail(step, describe_death(self._store.job_of(step), step, death), now_s)
            return
        reach("coordinator.lost.before-commit")
        self._store.set_states(step.seq, {step.name: "ready"})
        self._once_committed(lambda: reach("coordinator.lost.committed"))
        self.progress.forget((step.job, step.name))

    def _conclude(self, job: JobRow, step: StepRow, error: ErrorInfo, now_s: float) -> None:
        """Record a failed attempt and what follows; inside a transaction."""
        kills = step.kills + (error.kind in _KILLS)
        failures = step.failures + (error.kind not in _KILLS)
        verdict = after_failure(error.kind, failures, kills)
        if verdict == "held":
            error = dataclasses.replace(error, remedy=f"Make room, then: cpw resume {job.id}")
        state = "waiting" if isinstance(verdict, Retry) or verdict == "held" else verdict
        kept = verdict == "failed" and (
            keep_draft(self._store, step, error) or to_next(self._store, job, step, error)
        )
        if not kept:
            self._store.fail(step, state, error, kills=kills, failures=failures)
        self.figures.attempt_failed(step, error.kind, for_good=verdict == "failed")
        self.progress.forget((step.job, step.name))
        log.warning("%s %s: %s -> %s", job.id, step.name, error.message, verdict)
        if isinstance(verdict, Retry):
            self._delayed.append((now_s + verdict.delay_ms / 1000, step.seq, step.name))
        elif verdict == "held":
            self._store.set_job_state(step.seq, "held")
        else:
            self.propagate(job)

    def propagate(self, job: JobRow) -> None:
        """Set the states that follow from the steps' states, the job's too; inside a transaction."""
        steps = self._store.steps(job.id)
        states = {step.name: step.state for step in steps}
        # A step with an error waits for its next try: time wakes it, not the steps that it needs.
        links = {step.name: step.link for step in steps if step.state != "waiting" or step.error is None}
        changes = follow_up(states, links)
        self._store.set_states(job.seq, changes)
        state = job_state(states | changes)
        if state in ("done", "failed", "cancelled"):
            self._store.set_job_state(job.seq, state, since_iso_ms(job.created_at))
            self._manifests.note_end(job.id)
            log.info("%s is %s", job.id, state)

    def _release(self, peer: bytes, identity: CallIdentity, outcome: Result | Failure) -> None:
        member = self._roster.members.get(peer.decode("ascii", "replace"))
        if member is not None:
            member.release(identity, outcome)

    def _acknowledge(self, peer: bytes, identity: CallIdentity) -> None:
        self._to_worker(peer, identity, Ack())

    def stop_call(self, step: StepRow) -> None:
        """Cancel a running call, whose step has ended in the store: its outcome will be refused."""
        self.progress.forget((step.job, step.name))
        self.cancel_call(step.worker.encode(), step.identity)

    def forbid_reuse(self, seq: int, names: Iterable[str]) -> None:
        """Have workers do these steps even where another job has done the same: a person asks for it."""
        self._taking_over.forbid(seq, names)

    def _remove_scratch(self, identity: CallIdentity) -> None:
        """Remove the files of a call that was cancelled too late to be stopped."""
        job = self._store.job(identity.job)
        if job is not None and any(step.name == identity.step for step in self._store.steps(job.id)):
            job_folder.clear_attempt(job.directory, identity.step, identity.attempt)

    def cancel_call(self, peer: bytes, identity: CallIdentity) -> None:
        """Tell a worker to stop a call whose result is not wanted any more."""
        self._to_worker(peer, identity, Cancel())

    def _to_worker(self, peer: bytes, identity: CallIdentity, message: Ack | Cancel | Unload) -> None:
        header = Header(run=identity.run, job=identity.job, step=identity.step, attempt=identity.attempt)

        def send() -> None:
            try:
                self._link.send("w", peer, header, message)
            except Gone:
                log.info("%r left before %s could be sent", peer, type(message).__name__)

        self._once_committed(send)

    def note_change(self, job: JobRow) -> None:
        """Have the job's manifest renewed for people and scripts."""
        self._manifests.note(job.id)

    def settle(self) -> None:
        """Wait until the job folders say what is committed."""
        self._manifests.settle()

    def is_accepting(self) -> bool:
        """Return whether files of results are still being accepted."""
        return self._acceptance.is_busy()

    def close(self) -> None:
        """Wait for the files that are being accepted; write the manifests that are still due."""
        self._taking_over.stop()
        self._acceptance.close()
        self._manifests.close()


def _move(job: JobRow, step: StepRow, result: Result) -> str:
    """Put a call's files into their places; return what is to be said of those outside of the job folder."""
    scratch = job_folder.scratch_of(step.name, step.attempt)
    job_folder.accept(job.directory, scratch, STAGES[step.stage].folder, result.artefacts)
    return put_beside(job, step.stage, result.result)
