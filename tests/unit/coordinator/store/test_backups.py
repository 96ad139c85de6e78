"""The job store's file: migrated, checked, backed up, mended, held by one."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from coordinator.planning.planner import plan
from coordinator.store import backups as store_backups
from coordinator.store import migrations
from coordinator.store.backups import (
    StoreWatch,
    backups,
    find_damage,
    hold,
    notices,
    open_store,
    refuse_network,
)
from coordinator.store.store import Store
from protocol.errors import BugError, NotRunningError, UsageError
from protocol.messages import Submit
from tests.plans import all_by

GOLDEN = Path(__file__).resolve().parents[3] / "golden"
OLD_JOB = """
INSERT INTO meta VALUES ('epoch', '7');
INSERT INTO jobs (id, state, submit, directory, created_at) VALUES
 ('job-1', 'running', '{"media": "/f", "workflow": "transcribe", "user": "u", "out": "/o"}', '/o/1',
  '2026-11-22T00:00:00Z');
INSERT INTO steps (job, position, name, stage, environment, needs, after, state, attempt, run) VALUES
 (1, 0, 'demux', 'demux', 'common', '[]', '[]', 'running', 2, '7');
"""


def add_job(store: Store, name: str) -> None:
    submit = Submit(media="/f", workflow="transcribe", user="u", out="/o")
    with store.transaction():
        store.add_job(name, submit, Path("/o"), plan(submit, all_by()).steps, [])


def tables(path: Path) -> dict[str, set[tuple[object, ...]]]:
    """Return the columns and the indexes of a store, in no order."""
    db = sqlite3.connect(path)
    found: dict[str, set[tuple[object, ...]]] = {}
    for name in ("meta", "jobs", "steps"):
        found[name] = {tuple(row[1:]) for row in db.execute(f"PRAGMA table_info({name})")}
        found[f"{name} indexes"] = {tuple(row[1:]) for row in db.execute(f"PRAGMA index_list({name})")}
    found["version"] = set(db.execute("PRAGMA user_version").fetchall())
    db.close()
    return found


def make_old(path: Path) -> None:
    db = sqlite3.connect(path)
    db.executescript((GOLDEN / "schema.v1.sql").read_text() + OLD_JOB + "PRAGMA user_version=1;")
    db.close()


def test_a_store_of_version_1_is_brought_to_this_one_with_all_that_is_in_it(tmp_path: Path) -> None:
    make_old(tmp_path / "old.sqlite")
    store = Store(tmp_path / "old.sqlite")
    (step,) = store.steps("job-1")
    assert (step.state, step.attempt, step.run, step.begun_at) == ("running", 2, "7", None)
    assert store.next_epoch() == "8"
    store.close()
    Store(tmp_path / "new.sqlite").close()
    assert tables(tmp_path / "old.sqlite") == tables(tmp_path / "new.sqlite")


def test_a_migration_that_fails_leaves_the_old_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "old.sqlite"
    make_old(path)
    before = tables(path)
    monkeypatch.setitem(
        migrations.MIGRATIONS, 2, "ALTER TABLE jobs ADD COLUMN key TEXT; SELECT nothing FROM nowhere;"
    )
    with pytest.raises(sqlite3.OperationalError):
        Store(path).close()
    assert tables(path) == before


def test_a_store_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "jobs.sqlite")
    db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(BugError, match="version 99"):
        Store(tmp_path / "jobs.sqlite").close()


def test_every_start_makes_a_backup_and_the_newest_three_are_kept(tmp_path: Path) -> None:
    for _ in range(5):
        open_store(tmp_path).close()
    assert [backup.name for backup in backups(tmp_path)] == [f"jobs.backup-{n}.sqlite" for n in (5, 4, 3)]
    assert not any(find_damage(backup) for backup in backups(tmp_path))
    assert {backup.stat().st_mode & 0o777 for backup in backups(tmp_path)} == {0o600}


def spoil(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(0)
        file.write(b"\0" * 8192)


def test_a_damaged_store_is_moved_aside_and_the_newest_backup_taken(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    add_job(store, "job-1")
    store.close()
    store = open_store(tmp_path)
    add_job(store, "job-2")
    store.close()
    spoil(tmp_path / "jobs.sqlite")
    store = open_store(tmp_path)
    assert [job.id for job in store.newest_jobs(9)] == ["job-1"]
    (sentence,) = notices(store)
    (aside,) = tmp_path.glob("jobs.damaged-*.sqlite")
    assert "was damaged" in sentence
    assert str(aside) in sentence
    store.close()
    store = open_store(tmp_path)
    assert notices(store) == (sentence,)
    aside.unlink()
    assert notices(store) == ()
    store.close()


def test_a_damaged_backup_is_passed_over(tmp_path: Path) -> None:
    for name in ("job-1", "job-2"):
        store = open_store(tmp_path)
        add_job(store, name)
        store.close()
    open_store(tmp_path).close()
    spoil(backups(tmp_path)[0])
    spoil(tmp_path / "jobs.sqlite")
    store = open_store(tmp_path)
    assert [job.id for job in store.newest_jobs(9)] == ["job-1"]
    store.close()


def test_a_store_that_was_emptied_is_a_damaged_one(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    add_job(store, "job-1")
    store.close()
    open_store(tmp_path).close()
    (tmp_path / "jobs.sqlite").write_bytes(b"")
    store = open_store(tmp_path)
    assert store.job("job-1") is not None
    store.close()


def test_without_a_backup_a_new_store_is_begun_and_the_old_one_kept(tmp_path: Path) -> None:
    (tmp_path / "jobs.sqlite").write_bytes(b"no database" * 1000)
    store = open_store(tmp_path)
    assert store.newest_jobs(9) == []
    assert "There is no backup" in notices(store)[0]
    store.close()


def test_a_backup_that_takes_too_long_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(store_backups, "BACKUP_S", -1.0)
    monkeypatch.setattr(store_backups, "BACKUP_PAGES", 1)
    open_store(tmp_path).close()
    assert "no backup of the job store was made" in caplog.text
    assert {path.name for path in tmp_path.iterdir()} == {"jobs.sqlite"}


def test_a_second_coordinator_is_refused_with_the_firsts_process(tmp_path: Path) -> None:
    with (
        hold(tmp_path),
        pytest.raises(NotRunningError, match=r"Another coordinator \(process \d+\)"),
        hold(tmp_path),
    ):
        pass
    with hold(tmp_path):
        pass


def test_a_network_file_system_is_refused_with_a_way_out(tmp_path: Path) -> None:
    above = str(tmp_path.parent)
    with pytest.raises(UsageError, match="network file system") as refused:
        refuse_network(tmp_path, [("/", "ext4"), (above, "nfs4")])
    assert "CPW_STATE" in refused.value.remedy
    refuse_network(tmp_path, [("/", "nfs"), (above, "9p")])
    refuse_network(tmp_path, [("/", "ext4"), (above + "x", "nfs")])
    refuse_network(tmp_path)


def test_a_store_that_was_removed_is_a_damaged_one(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    add_job(store, "job-1")
    store.close()
    open_store(tmp_path).close()
    (tmp_path / "jobs.sqlite").unlink()
    store = open_store(tmp_path)
    assert [job.id for job in store.newest_jobs(9)] == ["job-1"]
    (sentence,) = notices(store)
    assert sentence.startswith("The job store was damaged (it was removed). The backup of ")
    store.close()


def test_a_backup_that_knows_most_jobs_is_not_pushed_out_by_emptier_ones(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    add_job(store, "job-1")
    store.close()
    open_store(tmp_path).close()
    fullest = backups(tmp_path)[0]
    for kept in tmp_path.glob("jobs.sqlite*"):
        kept.unlink()
    for name in [path.name for path in backups(tmp_path)]:
        (tmp_path / name).rename(tmp_path / f"away-{name}")
    for _ in range(5):  # starts with a store that knows nothing
        open_store(tmp_path).close()
    (tmp_path / f"away-{fullest.name}").rename(fullest)
    newest = [path.name for path in backups(tmp_path)][:3]
    for _ in range(5):
        open_store(tmp_path).close()
    assert fullest.exists()
    assert not any((tmp_path / name).exists() for name in newest if name != fullest.name)
    assert len(backups(tmp_path)) == 4


@pytest.mark.parametrize("what", ["the file", "the folder", "another file in its place"])
def test_a_store_removed_while_it_is_open_is_written_again_with_every_job(tmp_path: Path, what: str) -> None:
    state = tmp_path / "state"
    store = open_store(state)
    watch = StoreWatch(store)
    add_job(store, "job-1")
    watch.look(10.0)
    if what == "the folder":
        shutil.rmtree(state)
    else:
        (state / "jobs.sqlite").unlink()  # -wal and -shm stay
        if what == "another file in its place":
            (state / "jobs.sqlite").write_bytes(b"not a store")
    add_job(store, "job-2")
    watch.look(11.0)
    assert not store.is_in_place(), "it looks every two seconds"
    watch.look(13.0)
    assert store.is_in_place()
    add_job(store, "job-3")
    store.close()
    assert not find_damage(state / "jobs.sqlite")
    store = open_store(state)
    assert [job.id for job in store.newest_jobs(9)] == ["job-3", "job-2", "job-1"]
    store.close()
