"""Every message that crosses the wire, as a dataclass; the class's name is its type frame.

Worker to coordinator: Hello, State, Progress, Result, Failure. Back: Welcome, Reject, Call, Cancel, Ack,
Drain, Unload, Cores. Client to coordinator: Submit, DryRun, StatusQuery, ChangesQuery, TrialQuery
(`protocol/jobs/`), SpeakersQuery, NameSpeakers, VoicesQuery, ForgetVoices (`protocol/jobs/voices.py`),
HealthQuery, FiguresQuery, LogQuery (`protocol/cluster/logs.py`), and the changes of `protocol.job_changes`.
Back: Submitted, DryRunReport, StatusReport, ChangesReport, TrialBegun, HealthReport, FiguresReport,
LogReport, Changed, Pruned, SpeakersReport, VoicesReport, Reloading, Refused. Between the coordinator and a
node: `protocol/cluster/messages.py`, and the two about logs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from protocol import OLDEST_SUPPORTED_VERSION, PROTOCOL_VERSION
from protocol.artefacts import Artefact
from protocol.cluster.health import NodeHealth
from protocol.cluster.logs import LogQuery, LogReport
from protocol.cluster.messages import NODE_MESSAGES
from protocol.errors import ErrorInfo, Problem
from protocol.hardware import Hardware
from protocol.job_changes import (
    CancelJobs,
    Changed,
    Pruned,
    PruneJobs,
    ReloadEnvironment,
    Reloading,
    ResumeJobs,
    RetryJob,
)
from protocol.jobs.dry_run import DryRun, DryRunReport
from protocol.jobs.figures import StepFigures
from protocol.jobs.status import (
    ChangesQuery,
    ChangesReport,
    JobReport,
    JobState,
    StatusQuery,
    StatusReport,
    StepReport,
    StepState,
)
from protocol.jobs.submission import Submit, Submitted
from protocol.jobs.trial import TrialBegun, TrialQuery
from protocol.jobs.voices import (
    ForgetVoices,
    NameSpeakers,
    SpeakersQuery,
    SpeakersReport,
    VoicesQuery,
    VoicesReport,
)

__all__ = [
    "MESSAGES",
    "Ack",
    "Call",
    "CallIdentity",
    "Cancel",
    "ChangesQuery",
    "ChangesReport",
    "Cores",
    "Drain",
    "DryRun",
    "DryRunReport",
    "EnvironmentHealth",
    "Failure",
    "FiguresQuery",
    "FiguresReport",
    "HealthQuery",
    "HealthReport",
    "Hello",
    "JobReport",
    "JobState",
    "LoadedModel",
    "Problem",
    "Progress",
    "Refused",
    "Reject",
    "Result",
    "State",
    "StatusQuery",
    "StatusReport",
    "StepReport",
    "StepState",
    "Submit",
    "Submitted",
    "TrialBegun",
    "TrialQuery",
    "Unload",
    "Welcome",
    "WorkerState",
]

WorkerState = Literal["importing", "loading", "ready", "busy", "draining"]


@dataclass(frozen=True, kw_only=True)
class CallIdentity:
    """One attempt at a step; results are accepted for the current one only."""

    job: str
    step: str
    attempt: int
    run: str


@dataclass(frozen=True, kw_only=True)
class LoadedModel:
    """A model in a worker's memory and how often it was loaded since the worker started."""

    key: str
    loads: int
    load_ms: int
    bytes: int = 0
    """By how much the process, or what it holds of its GPU, grew; estimated where libraries came too."""
    device: str = ""
    loaded_at: str = ""
    used_at: str = ""
    """When a call last asked for it, or when the last call that used it ended."""

    @property
    def model(self) -> str:
        """Return its id in the model store."""
        return self.key.partition(":")[2].partition("@")[0]


@dataclass(frozen=True, kw_only=True)
class Hello:
    """First word of a worker on every connection."""

    worker: str
    """What the supervisor calls it, process id and start: `whisperx.4711.1a2b3c`, `whisperx.2.4712.4d5e6f`.
    New for every process."""
    environment: str
    pid: int
    pulse: str
    """Routing id of the socket that echoes without the GIL."""
    state: WorkerState
    started_at: str = ""
    oldest_protocol: int = OLDEST_SUPPORTED_VERSION
    newest_protocol: int = PROTOCOL_VERSION
    python: str = ""
    lock: str = ""
    """Key of the environment's build."""
    stages: dict[str, int] = field(default_factory=dict)
    """Stage to schema version."""
    devices: tuple[str, ...] = ()
    busy_with: CallIdentity | None = None
    unacknowledged: tuple[CallIdentity, ...] = ()
    """Calls with an outcome; then those that go on when `busy_with` has ended, the outermost first."""


@dataclass(frozen=True, kw_only=True)
class Welcome:
    """The coordinator accepts the worker; the header holds its run."""


@dataclass(frozen=True, kw_only=True)
class Reject:
    """The coordinator cannot work with this worker; restarting it would not help."""

    reason: ErrorInfo


@dataclass(frozen=True, kw_only=True)
class State:
    """The Python beat: where the worker stands. Shown, never used to kill."""

    state: WorkerState
    rss_bytes: int = 0
    models: tuple[LoadedModel, ...] = ()
    calls_done: int = 0
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Call:
    """Do this step. The header holds job, step, attempt and run. `inside`: in a pause of the running call."""

    stage: str
    schema_version: int
    job_directory: str
    scratch: str
    """Relative to the job folder; made by the worker, emptied first."""
    folder: str
    """Relative to the job folder: where the files will lie once the coordinator has accepted them."""
    budget_ms: int
    """A call that takes longer is ended, and its stack is written to a file."""
    request: dict[str, Any]
    debug: bool = False
    inside: bool = False


@dataclass(frozen=True, kw_only=True)
class Cancel:
    """Stop the call that the header names at its next progress report."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far the call in the header is: 0 to 1. `interruptible`: another can be done in a pause of it."""

    fraction: float
    note: str = ""
    interruptible: bool = False


@dataclass(frozen=True, kw_only=True)
class Result:
    """The call in the header succeeded. Kept by the worker until acknowledged."""

    result: dict[str, Any]
    artefacts: tuple[Artefact, ...]
    """Paths as they will be in the job folder; the files lie in the scratch folder until then."""
    duration_ms: int


@dataclass(frozen=True, kw_only=True)
class Failure:
    """The call in the header failed. Kept by the worker until acknowledged."""

    error: ErrorInfo
    duration_ms: int


@dataclass(frozen=True, kw_only=True)
class Ack:
    """The coordinator has committed (or refused for good) the outcome of the call in the header."""


@dataclass(frozen=True, kw_only=True)
class Drain:
    """Finish the current call, take no more calls, exit."""


@dataclass(frozen=True, kw_only=True)
class Unload:
    """Unload models after the current call: memory ran out, or other workers need it."""

    keys: tuple[str, ...] = ()
    """As in `LoadedModel.key`; empty: every one."""


@dataclass(frozen=True, kw_only=True)
class Cores:
    """The worker's call may keep so many cores busy from now on."""

    count: int


@dataclass(frozen=True, kw_only=True)
class HealthQuery:
    """Asks for the health of everything."""


@dataclass(frozen=True, kw_only=True)
class EnvironmentHealth:
    """One environment's truth; where it has several workers, that of one of them."""

    environment: str
    built: bool
    optional: bool
    stages: tuple[str, ...]
    state: str
    """A `WorkerState`, a `ChildState` of `protocol.supervisor`, or `silent`."""
    usable: bool
    pid: int | None = None
    uptime_ms: int | None = None
    rss_bytes: int = 0
    ram_budget_bytes: int = 0
    """Models are unloaded when it would take more; 0: no limit."""
    echo_ms: int | None = None
    """Age of the last echo from the process, GIL or not."""
    restarts: int = 0
    calls_done: int = 0
    models: tuple[LoadedModel, ...] = ()
    busy_with: CallIdentity | None = None
    cores: int = 0
    """How many its call may keep busy; 0: it runs none."""
    worker: str = ""
    """What the supervisor calls the worker: `whisperx`, then `whisperx.2`."""
    node: str = ""
    """The node that it is on; empty: the head's own machine."""
    problem: str = ""
    remedy: str = ""


@dataclass(frozen=True, kw_only=True)
class HealthReport:
    """Answer to a `HealthQuery`. It is not healthy where it has problems."""

    healthy: bool
    run: str
    pid: int
    uptime_ms: int
    environments: tuple[EnvironmentHealth, ...]
    jobs_running: int
    jobs_queued: int
    free_disk_bytes: int = 0
    jobs_held: int = 0
    notices: tuple[str, ...] = ()
    """What a person must know about the job store: that it was damaged, and what was lost."""
    hardware: Hardware | None = None
    ram_budget_bytes: int = 0
    """What all workers together may take; 0: no limit."""
    cores: int = 0
    """How many all running calls together may keep busy."""
    problems: tuple[Problem, ...] = ()
    """Of store, disks and models; those of an environment stand there."""
    nodes: tuple[NodeHealth, ...] = ()
    """The other machines of the cluster; their environments follow those of the head."""


@dataclass(frozen=True, kw_only=True)
class FiguresQuery:
    """Asks for what can be counted, to be watched over time."""


@dataclass(frozen=True, kw_only=True)
class FiguresReport:
    """Answer to a `FiguresQuery`: everything of one moment."""

    health: HealthReport
    jobs: dict[str, int]
    """A job's state to how many jobs of the store are in it."""
    steps: tuple[StepFigures, ...] = ()
    revision: int = 0
    """How often a job or a step has changed since the store was made."""


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The request in the header is refused; `error` says why and what to do."""

    error: ErrorInfo


MESSAGES: dict[str, type] = {
    message_type.__name__: message_type
    for message_type in (
        Hello,
        Welcome,
        Reject,
        State,
        Call,
        Cancel,
        Progress,
        Result,
        Failure,
        Ack,
        Drain,
        Unload,
        Cores,
        Submit,
        Submitted,
        DryRun,
        DryRunReport,
        StatusQuery,
        StatusReport,
        ChangesQuery,
        ChangesReport,
        TrialQuery,
        TrialBegun,
        HealthQuery,
        HealthReport,
        FiguresQuery,
        FiguresReport,
        CancelJobs,
        ResumeJobs,
        RetryJob,
        Changed,
        PruneJobs,
        Pruned,
        SpeakersQuery,
        NameSpeakers,
        SpeakersReport,
        VoicesQuery,
        ForgetVoices,
        VoicesReport,
        ReloadEnvironment,
        Reloading,
        LogQuery,
        LogReport,
        Refused,
        *NODE_MESSAGES,
    )
}
"""Type frame to class: the whole vocabulary of the wire."""
