"""Only one supervisor has a state folder and a runtime directory."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from envspecs.processes.sole import RuntimeLock, hold_state, holder_of
from protocol.errors import NotRunningError
from protocol.supervisor import SupervisorReport

ME = SupervisorReport(pid=4711, started=12.5)
OTHER = SupervisorReport(pid=4712, started=13.5)


def test_a_held_state_folder_tells_who_holds_it_and_lets_nobody_else_in(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with hold_state(state, ME):
        assert holder_of(state) == ME
        with pytest.raises(NotRunningError, match="process 4711"), hold_state(state, OTHER):
            pass
        assert holder_of(state) == ME
    with hold_state(state, OTHER):
        assert holder_of(state) == OTHER


def test_a_state_folder_that_nobody_ever_held_has_no_holder(tmp_path: Path) -> None:
    assert holder_of(tmp_path / "none") is None
    (tmp_path / "supervisor.lock").write_text("[")
    assert holder_of(tmp_path) is None


def test_the_next_holder_with_a_shorter_name_leaves_nothing_of_the_one_before(tmp_path: Path) -> None:
    with hold_state(tmp_path, SupervisorReport(pid=4_000_000, started=1234567890.123, run="abcdefgh")):
        pass
    with hold_state(tmp_path, ME):
        assert holder_of(tmp_path) == ME


def test_two_cannot_lock_one_runtime_directory(tmp_path: Path) -> None:
    with (
        RuntimeLock(tmp_path / "run"),
        pytest.raises(NotRunningError, match="runs already"),
        RuntimeLock(tmp_path / "run"),
    ):
        pass


def test_a_removed_runtime_directory_is_noticed_and_made_again(tmp_path: Path) -> None:
    runtime = tmp_path / "run"
    with RuntimeLock(runtime) as lock:
        assert lock.is_held()
        shutil.rmtree(runtime)
        assert not lock.is_held()
        lock.hold_again()
        assert lock.is_held()
        assert runtime.stat().st_mode & 0o777 == 0o700
        with pytest.raises(NotRunningError), RuntimeLock(runtime):
            pass


def test_a_runtime_directory_that_another_has_made_meanwhile_is_not_taken(tmp_path: Path) -> None:
    runtime = tmp_path / "run"
    with RuntimeLock(runtime) as lock:
        shutil.rmtree(runtime)
        with RuntimeLock(runtime):
            assert not lock.is_held()
            with pytest.raises(NotRunningError):
                lock.hold_again()
