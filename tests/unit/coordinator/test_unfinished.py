"""What a coordinator that died in the middle of a submission has left is removed, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from coordinator.store.job_folder import clear_scratch, remove_untouched


def job_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "0001"
    (folder / "logs").mkdir(parents=True)
    (folder / "job.json").write_text("{}")
    return folder


def test_a_folder_in_which_nothing_was_done_is_removed(tmp_path: Path) -> None:
    folder = job_folder(tmp_path)
    remove_untouched(folder)
    assert not folder.exists()


def test_corrections_that_were_taken_over_and_unfinished_files_go_with_it(tmp_path: Path) -> None:
    folder = job_folder(tmp_path)
    for name in ("corrections.json", ".corrections.json.4711.part", ".job.json.4711.part"):
        (folder / name).write_text("{")
    remove_untouched(folder)
    assert not folder.exists()


def test_of_a_job_that_has_ended_nothing_unfinished_is_left(tmp_path: Path) -> None:
    folder = job_folder(tmp_path)
    (folder / ".corrections.json.4711.part").write_text("{")
    (folder / "corrections.json").write_text("{}")
    clear_scratch(folder, resumable=False)
    assert sorted(path.name for path in folder.iterdir()) == ["corrections.json", "job.json", "logs"]


@pytest.mark.parametrize("name", ["manifest.json", "01_demux", "anything.part"])
def test_a_folder_in_which_something_was_done_stays(tmp_path: Path, name: str) -> None:
    folder = job_folder(tmp_path)
    (folder / name).mkdir()
    remove_untouched(folder)
    assert (folder / name).exists()


def test_a_folder_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    remove_untouched(tmp_path / "gone")


def test_what_steps_keep_for_their_next_attempts_goes_with_a_job_that_is_done(tmp_path: Path) -> None:
    folder = job_folder(tmp_path)
    for name in ("translate-en-1", "translate-en.kept"):
        (folder / ".scratch" / name).mkdir(parents=True)
    clear_scratch(folder, resumable=True)
    assert [path.name for path in (folder / ".scratch").iterdir()] == ["translate-en.kept"]
    clear_scratch(folder, resumable=False)
    assert not (folder / ".scratch").exists()
