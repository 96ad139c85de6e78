from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import psutil
import pytest

from clients import supervisor
from clients.asking import why_silent
from clients.cli import main
from clients.desk import Desk
from clients.screen.report import Report
from envspecs.code import code_digest
from protocol.errors import MissingError, NotRunningError, WireError
from protocol.messages import EnvironmentHealth, HealthReport
from protocol.supervisor import ChildReport, SupervisorReport


def health(healthy=False, **states) -> HealthReport:
    environments = tuple(
        EnvironmentHealth(environment=name, built=True, optional=False, stages=(), state=state, usable=True)
        for name, state in states.items()
    )
    return HealthReport(
        healthy=healthy, run="r", pid=1, uptime_ms=1, environments=environments, jobs_running=0, jobs_queued=0
    )


@pytest.fixture
def desk(tmp_path) -> Desk:
    runtime = tmp_path / "rt"
    runtime.mkdir(mode=0o700)
    return Desk(
        home=tmp_path, runtime=runtime, out=tmp_path / "out", report=Report(io.StringIO(), io.StringIO()),
        connect=lambda _: contextlib.nullcontext(None),
    )  # fmt: skip


@pytest.fixture
def child():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def write_state(desk, pid, started, **more):
    (desk.runtime / "supervisor.json").write_text(json.dumps({"pid": pid, "started": started, **more}))


@pytest.mark.parametrize(
    ("report", "standing"),
    [
        (None, "wait"),
        (health(common="ready", whisperx="loading"), "wait"),
        (health(healthy=True, common="ready", nllb="loading"), "healthy"),
        (health(common="ready", whisperx="crash-loop"), "ended"),
        (health(common="busy", whisperx="restarting"), "wait"),
    ],
)
def test_waiting_ends_when_no_waiting_helps(report, standing):
    assert supervisor.assess(report, supervisor.child_states(report, None)) == standing


def test_the_supervisors_bad_news_outweighs_an_old_report():
    child = ChildReport(state="crash-loop")
    state = SupervisorReport(pid=1, started=0.0, children={"whisperx": child, "coordinator": child})
    assert supervisor.child_states(health(whisperx="importing"), state) == {"whisperx": "crash-loop"}


def test_a_state_file_that_is_half_written_counts_for_nothing(desk):
    (desk.runtime / "supervisor.json").write_text('{"pid": 1')
    assert supervisor.live_supervisor(desk.runtime) is None


def test_a_recycled_pid_is_not_stopped(desk, child):
    write_state(desk, child.pid, psutil.Process(child.pid).create_time() - 100)
    assert supervisor.stop(desk, 5) == "not running"
    assert child.poll() is None


def test_the_supervisor_is_asked_to_end(desk, child):
    write_state(desk, child.pid, psutil.Process(child.pid).create_time())
    assert supervisor.live_supervisor(desk.runtime) is not None
    assert supervisor.stop(desk, 10) == "stopped"
    assert child.wait() == -15


def test_a_supervisor_that_does_not_end_is_killed(desk):
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", deaf], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        write_state(desk, process.pid, psutil.Process(process.pid).create_time())
        assert supervisor.stop(desk, 0.1) == "killed"
        assert process.wait() == -9


def test_the_silence_is_explained(desk, child):
    assert why_silent(desk.runtime).message == "Nothing is running."
    started = psutil.Process(child.pid).create_time()
    write_state(desk, child.pid, started)
    assert "the coordinator does not answer" in why_silent(desk.runtime).message
    write_state(desk, child.pid, started, state="stopping")
    assert why_silent(desk.runtime).message == "The supervisor is stopping."
    gone = {"state": "crash-loop", "problem": "It crashed 5 times.", "remedy": "cpw logs coordinator"}
    write_state(desk, child.pid, started, children={"coordinator": gone})
    assert why_silent(desk.runtime).message.endswith("does not answer: It crashed 5 times.")


@pytest.mark.parametrize(
    ("service", "remedy"),
    [(False, "cpw down && make up"), (True, "make build && cpw service install")],
)
def test_code_that_changed_under_a_house_is_said_with_what_starts_it_anew(desk, child, service, remedy):
    started = psutil.Process(child.pid).create_time()
    write_state(desk, child.pid, started, code=code_digest(), service=service)
    assert supervisor.why_outdated(desk) is None
    write_state(desk, child.pid, started, service=service)  # of a version that did not tell it
    assert supervisor.why_outdated(desk) is None
    write_state(desk, child.pid, started, code="another", service=service)
    outdated = supervisor.why_outdated(desk)
    assert outdated is not None
    assert (outdated.sentence, outdated.remedy) == (
        "The code has changed since everything was started.",
        remedy,
    )


def test_an_error_of_a_house_with_old_code_says_that_it_is_old(desk, child):
    write_state(desk, child.pid, psutil.Process(child.pid).create_time(), code="another")
    refuse = WireError("There is no message 'Newest'.")
    asker = SimpleNamespace(ask=lambda *_, **__: (_ for _ in ()).throw(refuse))
    said = io.StringIO()
    desk = replace(desk, report=Report(said, said), connect=lambda _: contextlib.nullcontext(asker))
    assert main.run(main.cpw, ["status"], "cpw", desk) == 1
    assert said.getvalue() == (
        "error: There is no message 'Newest'.\n"
        "note: The code has changed since everything was started. Try: cpw down && make up\n"
    )


def test_a_checkout_without_supervisor_is_named(desk):
    with pytest.raises(MissingError, match=r"supervisor\.py does not exist"):
        supervisor.start(desk)


def test_a_supervisor_that_dies_at_once_is_noticed_and_its_words_are_in_the_log(desk):
    (desk.home / "supervisor.py").write_text("import sys; print('no luck'); sys.exit(7)")
    with supervisor.start(desk) as process:
        process.wait()
        with pytest.raises(NotRunningError, match="exit code 7"):
            supervisor.wait_until_up(desk, None, process, 5, lambda _: None)
    assert supervisor.supervisor_log(desk.home).read_text() == "no luck\n"


def test_the_supervisor_is_given_no_token_of_the_persons(desk, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("CPW_ANYTHING", "kept")
    (desk.home / "supervisor.py").write_text("import os; print(sorted(os.environ.items()))")
    with supervisor.start(desk) as process:
        process.wait()
    said = supervisor.supervisor_log(desk.home).read_text()
    assert "hf_secret" not in said
    assert "kept" in said


def test_a_required_environment_that_is_not_built_is_named(tmp_path):
    (tmp_path / "envspecs").mkdir()
    spec = 'name = "tiny"\npurpose = "none"\nrequirements = []\n'
    (tmp_path / "envspecs" / "tiny.toml").write_text(spec)
    with pytest.raises(MissingError, match="environment tiny is not built"):
        supervisor.check_built(tmp_path)


def test_the_path_advice_survives_a_folder_with_spaces(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert supervisor.path_advice(tmp_path) == f'export PATH="{tmp_path}/venv/common/bin:$PATH"'
    assert supervisor.path_advice(tmp_path / "a b").startswith("export PATH='")
