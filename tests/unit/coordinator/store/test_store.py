"""The store's file and its transactions."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from coordinator.planning.planner import plan
from coordinator.store.store import Store
from protocol.messages import Submit
from tests.plans import all_by


def test_none_of_its_files_can_be_read_by_others(tmp_path: Path) -> None:
    store = Store(tmp_path / "jobs.sqlite")
    store.next_epoch()
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("jobs.sqlite*")} == {0o600}
    store.close()


def test_a_transaction_that_has_already_ended_does_not_hide_what_ended_it(tmp_path: Path) -> None:
    """As on a full disk: the failed write ends the transaction by itself."""
    store = Store(tmp_path / "jobs.sqlite")
    with closing(sqlite3.connect(tmp_path / "jobs.sqlite")) as other:
        other.execute(
            "CREATE TRIGGER full BEFORE INSERT ON meta WHEN NEW.key = 'much'"
            " BEGIN SELECT RAISE(ROLLBACK, 'the disk is full'); END"
        )

    def write() -> None:
        with store.transaction():
            store.set_fact("little", "1")
            store.set_fact("much", "2")

    with pytest.raises(sqlite3.IntegrityError, match="full"):
        write()
    assert store.get_fact("little") == ""
    assert store.next_epoch() == "1"
    store.close()


def test_running_steps_of_every_environment_are_found(tmp_path: Path) -> None:
    store = Store(tmp_path / "jobs.sqlite")
    assert store.running_steps() == []
    submit = Submit(media="/film.mkv", workflow="transcribe", user="u", out="/out")
    with store.transaction():
        for job in ("one", "two"):
            # Each stage has an environment of its own.
            store.add_job(job, submit, tmp_path, plan(submit, all_by()).steps, [])
    steps = store.steps("one")
    begun = [store.begin(step, "1", "worker") for step in (steps[0], steps[-1])]
    assert len({step.environment for step in steps}) > 2
    assert {step.identity for step in store.running_steps()} == set(begun)
    store.close()
