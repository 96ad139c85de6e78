"""`cpw envs` beside something that runs: who is told, what a person reads, which code it ends with."""

from __future__ import annotations

import contextlib
import io
import json
import os

import psutil
import pytest

from clients.cli.envs import RunningWorkers
from clients.cli.main import cpw, run
from clients.desk import Desk
from clients.screen.report import Report
from envspecs.builds.build import build
from envspecs.spec import read
from protocol.errors import ExitCode, NotRunningError
from protocol.job_changes import ReloadEnvironment, Reloading
from protocol.messages import EnvironmentHealth, HealthQuery, HealthReport
from protocol.supervisor import environment_of
from tests.unit.envspecs.conftest import Home, Lines

STAGES = '[stages]\nasr = { engine = "workers.engines.x:X" }\n'


class FakeHouse:
    """Supervisor's file and coordinator's answers; a reload changes the child as `becomes` says."""

    def __init__(self, runtime) -> None:
        self.runtime = runtime
        self.children = {}
        self.becomes = {}
        self.ready = {}
        self.asked = []
        self.job = ""
        self.pids = (1,)
        self.streams = (io.StringIO(), io.StringIO())

    def runs(self, **children):
        self.children = {
            name: {"state": "running", "started_at": "1", **child} for name, child in children.items()
        }
        self.write()

    def write(self):
        started = psutil.Process().create_time()
        state = {"pid": os.getpid(), "started": started, "children": self.children}
        (self.runtime / "supervisor.json").write_text(json.dumps(state))

    def ask(self, message, *, timeout_ms=None):
        if isinstance(message, HealthQuery):
            found = tuple(
                EnvironmentHealth(
                    environment=environment_of(name),
                    worker=name,
                    built=True,
                    optional=False,
                    stages=(),
                    state="ready",
                    usable=True,
                    pid=pid,
                )
                for name, pid in self.ready.items()
            )
            return HealthReport(
                healthy=True, run="r", pid=1, uptime_ms=1, environments=found, jobs_running=0, jobs_queued=0
            )
        assert isinstance(message, ReloadEnvironment)
        self.asked.append((message.environment, message.now))
        became = self.becomes.get(message.environment, {})
        if became is None:
            self.children.pop(message.environment)
        else:
            before = self.children.get(message.environment, {"state": "not built"})
            self.children[message.environment] = {**before, **became}
            self.ready[message.environment] = became.get("serves", 2)
        self.write()
        return Reloading(
            environment=message.environment,
            pid=1,
            pids=self.pids,
            job=self.job,
            step="asr" if self.job else "",
        )


@pytest.fixture
def home(tmp_path, monkeypatch) -> Home:
    made = Home((tmp_path / "checkout").resolve())
    made.spec("tiny", (made.specs / "tiny.toml").read_text() + STAGES)
    monkeypatch.setenv("CPW_HOME", str(made.root))
    monkeypatch.delenv("CPW_MODELS", raising=False)
    monkeypatch.setenv("PATH", f"{made.tools}:/usr/bin:/bin")
    return made


@pytest.fixture
def fake(tmp_path) -> FakeHouse:
    runtime = tmp_path / "rt"
    runtime.mkdir(mode=0o700)
    return FakeHouse(runtime)


@pytest.fixture
def desk(home, fake) -> Desk:
    clock = iter(range(10_000))
    return Desk(
        home=home.root,
        runtime=fake.runtime,
        out=home.root / "out",
        report=Report(*fake.streams),
        connect=lambda _: contextlib.nullcontext(fake),
        clock=lambda: float(next(clock)),
        pause=lambda _: None,
    )


def type_(desk, *words):
    return run(cpw, ["envs", *words], "cpw", desk)


def said(fake) -> tuple[str, str]:
    return tuple(stream.getvalue() for stream in fake.streams)


def test_a_build_where_nothing_runs_tells_nobody(desk, fake, home):
    assert type_(desk, "build", "tiny") == ExitCode.DONE
    assert fake.asked == []


def test_what_was_changed_is_reloaded_and_nothing_else(desk, fake, home):
    home.spec("other", f'name = "other"\npurpose = "p"\nrequirements = []\n{STAGES}')
    for name in ("tiny", "other"):
        build(read(name, home.specs), Lines(), home.root)
    fake.runs(tiny={}, other={})
    fake.becomes = {"tiny": {"started_at": "2", "build": "tiny-2"}}
    home.newest("pyzmq==27.9.0\n")
    assert type_(desk, "upgrade", "tiny") == ExitCode.DONE
    assert fake.asked == [("tiny", False)]
    assert "tiny: ready, process 2, build tiny-2" in said(fake)[0]


def test_what_was_built_before_another_failed_is_told_of_too(desk, fake, home):
    home.spec("far", 'name = "far"\npurpose = "p"\nrequirements = []\nplatform = { system = "Plan9" }\n')
    fake.runs(coordinator={}, tiny={"state": "not built", "started_at": ""})
    fake.becomes = {"tiny": {"state": "running", "started_at": "2"}}
    assert type_(desk, "build", "tiny", "far") == ExitCode.USAGE
    assert fake.asked == [("tiny", False)]


def test_a_build_that_changed_nothing_disturbs_nobody(desk, fake, home):
    build(read("tiny", home.specs), Lines(), home.root)
    fake.runs(tiny={})
    assert type_(desk, "build", "tiny") == ExitCode.DONE
    assert fake.asked == []


def test_what_is_built_for_the_first_time_gets_a_worker(desk, fake, home):
    fake.runs(coordinator={}, tiny={"state": "not built", "started_at": ""})
    fake.becomes = {"tiny": {"state": "running", "started_at": "2"}}
    assert type_(desk, "build", "tiny") == ExitCode.DONE
    assert fake.asked == [("tiny", False)]


def test_a_new_build_that_does_not_run_ends_with_4_and_the_way_back(desk, fake, home):
    build(read("tiny", home.specs), Lines(), home.root)
    fake.runs(tiny={})
    problem = {"problem": "tiny died 6 times.", "remedy": "cpw envs rollback tiny"}
    fake.becomes = {"tiny": {"state": "crash-loop", "started_at": "2", **problem}}
    home.newest("pyzmq==27.9.0\n")
    assert type_(desk, "upgrade", "tiny") == ExitCode.NOT_RUNNING
    _, err = said(fake)
    assert "error: tiny is crash-loop: tiny died 6 times." in err
    assert "try: cpw envs rollback tiny" in err


def test_an_old_crash_loop_is_not_taken_for_the_new_workers(desk, fake, home):
    build(read("tiny", home.specs), Lines(), home.root)
    fake.runs(tiny={"state": "crash-loop"})
    fake.becomes = {"tiny": {"started_at": "2", "state": "running"}}
    assert type_(desk, "reload", "tiny") == ExitCode.DONE


def test_a_worker_that_must_end_its_call_is_not_waited_for_unless_now(desk, fake, home):
    build(read("tiny", home.specs), Lines(), home.root)
    fake.runs(tiny={})
    fake.job = "job-7"
    assert type_(desk, "reload", "tiny") == ExitCode.DONE
    assert "tiny: its worker finishes asr of job-7" in said(fake)[0]
    fake.becomes = {"tiny": {"started_at": "2"}}
    assert type_(desk, "reload", "--now", "tiny") == ExitCode.DONE
    assert fake.asked == [("tiny", False), ("tiny", True)]


def test_every_worker_of_the_environment_is_waited_for(desk, fake, home):
    build(read("tiny", home.specs), Lines(), home.root)
    fake.runs(**{"tiny": {}, "tiny.2": {}})
    fake.pids = (1, 3)
    fake.becomes = {"tiny": {"started_at": "2", "build": "b"}}
    assert type_(desk, "reload", "tiny") == ExitCode.NOT_RUNNING, "the second is the old one"
    assert "tiny: restarting its 2 workers" in said(fake)[0]
    assert "tiny: ready" not in said(fake)[0]

    fake.children["tiny.2"] = {"state": "running", "started_at": "2", "build": "b"}
    fake.ready["tiny.2"] = 4
    fake.becomes = {"tiny": {"started_at": "3", "build": "b"}}
    fake.runs(**{"tiny": {}, "tiny.2": {}})

    def both_renewed(message, *, timeout_ms=None, answer=fake.ask):
        fake.children["tiny.2"] = {"state": "running", "started_at": "3", "build": "b"}
        return answer(message, timeout_ms=timeout_ms)

    fake.ask = both_renewed
    assert type_(desk, "reload", "tiny") == ExitCode.DONE
    assert "tiny: ready, process 2, build b\ntiny.2: ready, process 4, build b\n" in said(fake)[0]


def test_one_of_several_that_has_failed_ends_the_wait_under_its_name(desk, fake, home):
    build(read("tiny", home.specs), Lines(), home.root)
    fake.runs(**{"tiny": {}, "tiny.2": {}})
    problem = {"problem": "It died.", "remedy": "cpw logs tiny"}
    fake.becomes = {"tiny": {"state": "crash-loop", "started_at": "2", **problem}}
    assert type_(desk, "reload", "tiny") == ExitCode.NOT_RUNNING
    assert "tiny is crash-loop: It died." in said(fake)[1]


def test_one_that_does_not_come_up_in_its_time_is_told(desk, fake, home):
    build(read("tiny", home.specs), Lines(), home.root)
    fake.runs(tiny={})
    assert type_(desk, "reload", "tiny") == ExitCode.NOT_RUNNING
    assert "tiny is not ready yet." in said(fake)[1]


def test_a_reload_where_nothing_runs_says_so(desk, home):
    with pytest.raises(NotRunningError, match="Nothing is running"):
        RunningWorkers(desk).reload(["tiny"])


def test_a_copy_is_removed_once_its_worker_has_gone(desk, fake, home):
    assert type_(desk, "copy", "tiny", "second") == ExitCode.DONE
    build(read("second", home.specs), Lines(), home.root)
    fake.runs(tiny={}, second={})
    fake.becomes = {"second": None}
    assert type_(desk, "remove", "second") == ExitCode.DONE
    assert ("second", False) in fake.asked
    assert not list(home.root.glob("venv/**/second*"))


def test_of_common_a_person_hears_what_only_a_new_start_changes(desk, fake, home):
    home.spec(
        "common", f'name = "common"\npurpose = "p"\nrequirements = []\n{STAGES.replace("asr", "demux")}'
    )
    fake.runs(common={})
    fake.becomes = {"common": {"started_at": "2"}}
    assert type_(desk, "build", "common") == ExitCode.DONE
    assert "supervisor and coordinator use the previous build until: make down" in said(fake)[0]
