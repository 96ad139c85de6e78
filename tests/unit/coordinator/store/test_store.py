"""The store's file and its transactions."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from coordinator.store.store import Store


def test_none_of_its_files_can_be_read_by_others(tmp_path: Path) -> None:
    store = Store(tmp_path / "jobs.sqlite")
    store.next_epoch()
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("jobs.sqlite*")} == {0o600}
    store.close()


def test_a_transaction_that_has_already_ended_does_not_hide_what_ended_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "jobs.sqlite")

    def fail_as_on_a_full_disk() -> None:
        with store.transaction():
            store._db.execute("ROLLBACK")
            message = "the disk is full"
            raise OSError(message)

    with pytest.raises(OSError, match="full"):
        fail_as_on_a_full_disk()
    assert store.next_epoch() == "1"
    store.close()
