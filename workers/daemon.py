"""The worker: an IO thread that owns the socket from the start, and a main thread that runs the models."""

from __future__ import annotations

import faulthandler
import importlib
import logging
import os
import platform
import sys
import threading
import time
import uuid
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

from protocol.artefacts import Artefact
from protocol.clock import now_iso
from protocol.errors import MissingError, UsageError, WorkerExit, info_from_error
from protocol.failpoints import reach
from protocol.frames import Header, encode
from protocol.marks import Mark
from protocol.messages import (
    Ack,
    Call,
    CallIdentity,
    Cores,
    Drain,
    Failure,
    Hello,
    Progress,
    Result,
    State,
)
from protocol.schema import from_plain, to_plain
from protocol.stages import STAGES
from workers.context import CallContext
from workers.engine import Engine
from workers.link import Peer, start_echo
from workers.models import ModelShelf
from workers.options import Options
from workers.output import Output
from workers.phases import Begin, CancelCall, ClearShelf, Command, Exit, Phases, Send
from workers.running import RunningCalls

__all__ = ["run"]

BEAT_MS = 500
IDLE_BEAT_MS = 10_000
"""The same while nothing happens: a laptop with an idle house should sleep."""

log = logging.getLogger(__name__)


def run(options: Options) -> int:
    """Serve calls until the coordinator drains the worker; return the exit code (`WorkerExit`)."""
    reach("worker.start.begun")
    worker = f"{options.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}"
    pulse = f"{worker}/pulse"
    hello = Hello(
        worker=worker,
        environment=options.environment,
        pid=os.getpid(),
        pulse=pulse,
        state="importing",
        started_at=now_iso(),
        python=platform.python_version(),
        lock=options.key,
        stages={stage: STAGES[stage].version for stage in options.engines if stage in STAGES},
    )
    shelf = ModelShelf(options.models, options.budget, threads=options.threads)
    # Without its IO thread a worker hears and says nothing: it is better to end and be restarted.
    threading.excepthook = _die_of
    start_echo(options.endpoint, pulse.encode())
    reach("worker.start.echoing")
    io = _IoThread(Phases(hello), Peer(options.endpoint, worker.encode()), shelf)
    threading.Thread(target=io.serve, name="io", daemon=True).start()
    return _MainThread(options, io, shelf).serve()


class _IoThread:
    """Moves messages between the socket, `Phases` and the main thread."""

    def __init__(self, phases: Phases, peer: Peer, shelf: ModelShelf) -> None:
        self._phases = phases
        self._peer = peer
        self._shelf = shelf
        self._run = ""
        self._calls_done = 0
        self._models: tuple[tuple[str, int], ...] = ()
        self._contexts: dict[CallIdentity, CallContext] = {}
        self._cancelled: set[CallIdentity] = set()
        self._has_inside = False
        self.mailbox = peer.mailbox

    def serve(self) -> None:
        """Run as long as the process does."""
        beat_at = time.monotonic()
        while True:
            left_ms = max(0, round((beat_at - time.monotonic()) * 1000))
            happened = self._peer.wait(left_ms, self._on_connected, self._on_message, self._on_item)
            now = time.monotonic()
            if now >= beat_at:
                self._do(self._phases.beat(self._measure()))
                beat_at = now + (IDLE_BEAT_MS if self._phases.is_idle() else BEAT_MS) / 1000
            elif happened:
                beat_at = min(beat_at, now + BEAT_MS / 1000)

    def begun(self, identity: CallIdentity, context: CallContext) -> None:
        """Main thread: keep the context of a call that it does, for a cancel.

        The cancel may arrive first. The IO thread stores it before it looks for the context, and this thread
        stores the context before it looks for the cancel: so one of the two sees what the other has stored.
        """
        self._contexts[identity] = context
        if identity in self._cancelled:
            context.cancelled.set()

    def ended(self, identity: CallIdentity) -> None:
        """Main thread: forget the context of a call that has ended."""
        self._contexts.pop(identity, None)
        self._cancelled.discard(identity)

    def ask_inside(self) -> Begin | None:
        """Main thread, at a border of the running call: return the call to do inside it now, or None.

        The IO thread decides: it knows what was cancelled, drained or lost with the connection meanwhile.
        """
        if not self._has_inside:
            return None
        answer: SimpleQueue[Begin | None] = SimpleQueue()
        self.mailbox.put(("border", None, answer))
        return answer.get()

    def _measure(self) -> State:
        rss, models = self._shelf.meter.resident(), self._shelf.loaded()
        return State(state="ready", rss_bytes=rss, models=models, calls_done=self._calls_done)

    def _on_connected(self) -> None:
        reach("worker.connection.made")
        self._do(self._phases.on_connected())
        reach("worker.connection.hello-sent")

    def _on_message(self, message: Any, identity: CallIdentity, run: str) -> None:
        self._run = run or self._run
        match message:
            case Call():
                reach("worker.call.received")
            case Ack():
                reach("worker.ack.received")
            case Drain():
                reach("worker.drain.received")
            case Cores(count=count):
                # It is the same in every phase: a running call asks the shelf at its next batch.
                self._shelf.give_cores(count)
        self._do(self._phases.on_message(message, identity))

    def _on_item(self, item: tuple[str, Any, Any]) -> None:
        kind, identity, value = item
        if kind == "state":
            self._do(self._phases.on_loaded(value))
        elif kind == "progress":
            self._do(self._phases.on_progress(identity, value))
        elif kind == "border":
            value.put(self._begin_inside())
        elif kind == "worn out":
            self._do(self._phases.on_worn_out())
        else:
            self._calls_done += 1
            # The models that the call loaded are sent before its outcome.
            models = tuple((model.key, model.loads) for model in self._shelf.loaded())
            if models != self._models:
                self._models = models
                self._do(self._phases.beat(self._measure()))
            reach("worker.outcome.before-send")
            self._do(self._phases.on_outcome(identity, value))
            reach("worker.outcome.sent")

    def _begin_inside(self) -> Begin | None:
        begin = self._phases.at_border()
        if begin is not None:
            # Said before the call begins: if it kills this process, it is the one to blame.
            self._do(self._phases.on_progress(begin.identity, Progress(fraction=0.0)))
        return begin

    def _do(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case Send(message, identity):
                    self._peer.send(message, identity, self._run)
                case CancelCall(identity):
                    self._cancel(identity)
                case Exit(reason) if reason:
                    # The main thread may be inside a long import; there is nothing to lose yet.
                    log.error("the coordinator refused this worker: %s", reason)
                    os._exit(WorkerExit.OUTDATED)
                case Begin() | ClearShelf() | Exit():
                    self.mailbox.reply(command)
        self._has_inside = self._phases.has_inside()

    def _cancel(self, identity: CallIdentity) -> None:
        self._cancelled.add(identity)
        if (context := self._contexts.get(identity)) is not None:
            context.cancelled.set()


class _MainThread:
    """Imports the engines, then does one call after the other."""

    def __init__(self, options: Options, io: _IoThread, shelf: ModelShelf) -> None:
        self._options = options
        self._io = io
        self._shelf = shelf
        self._calls = RunningCalls(Output(options.nonce), _open_stack(options.stack))
        self._engines: dict[str, Engine] = {}

    def serve(self) -> int:
        try:
            self._load()
        except (ImportError, AttributeError, UsageError):
            log.exception("the engines of %s cannot be imported", self._options.environment)
            return WorkerExit.UNUSABLE
        reach("worker.load.done")
        self._io.mailbox.put(("state", None, "ready"))
        while True:
            self._shelf.unload_idle()
            item = self._io.mailbox.get(self._shelf.idle_in_s())
            match item:
                case ClearShelf(keys):
                    self._shelf.clear(keys)
                case Begin(identity, call):
                    self._serve_call(identity, call)
                case Exit(recycled=recycled):
                    reach("worker.drain.leaving")
                    return WorkerExit.RECYCLED if recycled else WorkerExit.DRAINED

    def _load(self) -> None:
        for stage, target in self._options.engines.items():
            module, _, name = target.partition(":")
            engine: Engine = getattr(importlib.import_module(module), name)()
            if engine.stage != stage:
                message = f"{target} is an engine for {engine.stage}, not for {stage}."
                raise UsageError(message)
            self._engines[stage] = engine
        reach("worker.load.imported")
        self._io.mailbox.put(("state", None, "loading"))
        first = self._options.default_model if self._options.load == "start" else None
        for engine in self._engines.values():
            try:
                engine.warm(self._shelf, first)
                reach("worker.load.engine-warmed")
            except MissingError as error:
                # Jobs that need the model are refused before they start; others can run.
                log.warning("%s (%s)", error.message, error.remedy)
        self._shelf.ready()

    def _serve_call(self, identity: CallIdentity, call: Call) -> None:
        job_folder = Path(call.job_directory)
        job_log = job_folder / "logs" / f"{identity.step}.log"
        mark = Mark(job=identity.job, step=identity.step, attempt=identity.attempt, log=str(job_log))
        self._calls.begin(mark, call.budget_ms / 1000, debug=call.debug)
        reach("worker.call.begun")
        log.info("%s begins, attempt %d", identity.step, identity.attempt)
        log.debug("request: %s", call.request)
        self._shelf.begin_call()
        outcome = self._attempt(identity, call, job_folder)
        outcome = replace(outcome, duration_ms=self._calls.used_ms())
        # Before the outcome is sent, so that no further call begins in a process that must end.
        if self._shelf.end_call():
            log.warning("this process uses too much memory without any model: a new one takes its place")
            self._io.mailbox.put(("worn out", None, None))
        log.info("%s ends after %d ms: %s", identity.step, outcome.duration_ms, type(outcome).__name__)
        self._calls.end()
        self._io.mailbox.put(("outcome", identity, outcome))

    def _do_inside(self) -> None:
        """At a border of the running call: do other calls inside it, where the coordinator wants that."""
        while (begin := self._io.ask_inside()) is not None:
            try:
                self._serve_call(begin.identity, begin.call)
            # What an engine raises has become an outcome. This is an error of the worker itself, and would
            # pass for one of the interrupted call.
            except BaseException:
                log.critical("the worker failed in %s", begin.identity.step, exc_info=True)
                os.abort()

    def _attempt(self, identity: CallIdentity, call: Call, job_folder: Path) -> Result | Failure:
        context: CallContext | None = None

        def report(fraction: float, note: str) -> None:
            interruptible: bool = getattr(engine, "interruptible", False)
            progress = Progress(fraction=fraction, note=note, interruptible=interruptible)
            self._io.mailbox.put(("progress", identity, progress))
            if interruptible:
                self._do_inside()

        try:
            engine, request = self._understand(call)
            context = CallContext(
                job_folder,
                call.scratch,
                call.folder,
                self._shelf,
                report,
                debug=call.debug,
            )
            self._io.begun(identity, context)
            context.prepare()
            reach("worker.call.before-run")
            answer = engine.run(request, context)
            reach("worker.call.after-run")
            return _outcome(STAGES[call.stage].result, answer, context.manifest())
        # The one place that catches every error: what an engine raises, even SystemExit, ends its call and
        # not the worker with its loaded models.
        except BaseException as error:
            log.exception("%s failed", identity.step)
            if context is not None:
                context.discard()
            return Failure(error=info_from_error(error), duration_ms=0)
        finally:
            self._io.ended(identity)

    def _understand(self, call: Call) -> tuple[Engine, Any]:
        engine = self._engines.get(call.stage)
        if engine is None or STAGES[call.stage].version != call.schema_version:
            message = f"This worker has no engine for {call.stage} version {call.schema_version}."
            raise UsageError(message, f"cpw envs build {self._options.environment}")
        if call.budget_ms <= 0:
            message = f"This call may take {call.budget_ms} ms: nothing can be done in that time."
            raise UsageError(message)
        return engine, from_plain(STAGES[call.stage].request, call.request)


def _outcome(contract: type[Any], answer: Any, files: tuple[Artefact, ...]) -> Result:
    """Return the call's result; raise where it breaks the stage's contract, or no message can hold it.

    Later, on the IO thread, the same error would end the worker.
    """
    kept = to_plain(from_plain(contract, to_plain(answer)))
    outcome = Result(result=kept, artefacts=files, duration_ms=0)
    encode("Result", Header(), outcome)
    return outcome


def _die_of(failure: threading.ExceptHookArgs) -> None:
    log.critical("a thread of the worker failed", exc_info=failure.exc_value)
    os._exit(WorkerExit.UNUSABLE)


def _open_stack(path: Path | None) -> IO[str]:
    """Open the file into which a crash or a hang writes its stack."""
    if path is None:
        return sys.stderr
    path.parent.mkdir(parents=True, exist_ok=True)
    stack = path.open("w", encoding="utf-8")
    faulthandler.enable(file=stack)
    return stack
