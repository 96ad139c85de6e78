"""Subtitles beside the film: put there once, renewed, and never over a file of somebody else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from coordinator.store.beside import LEDGER, put_beside
from coordinator.store.rows import JobRow
from protocol.artefacts import describe_file
from protocol.messages import Submit
from protocol.schema import to_plain
from protocol.stages.subtitle import SubtitleResult


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Return a film that everybody may read."""
    path = tmp_path / "films" / "Film.mkv"
    path.parent.mkdir()
    path.write_bytes(b"film")
    path.chmod(0o644)
    return path


@pytest.fixture
def job(tmp_path: Path, film: Path) -> JobRow:
    """Return a job that is to put its subtitles beside the film."""
    return job_of(tmp_path / "job", film)


def job_of(folder: Path, film: Path, **fields: Any) -> JobRow:
    folder.mkdir()
    given = {"media": str(film), "workflow": "subtitle", "user": "a", "out": "/out", "beside": True} | fields
    return JobRow(
        seq=1,
        id="job",
        state="running",
        submit=Submit(**given),
        directory=folder,
        created_at="",
        ended_at=None,
        elapsed_ms=None,
        language=None,
        language_probability=None,
        notes=(),
    )


def made(job: JobRow, text: str = "hello", language: str = "en", **fields: Any) -> dict[str, Any]:
    """Write subtitles into the job folder, and return the result of their step."""
    files = []
    for ending in ("vtt", "srt"):
        path = job.directory / f"Film.{language}.{ending}"
        path.write_text(text)
        path.chmod(0o600)
        files.append(describe_file(path, path.name))
    given = {"files": tuple(files), "language": language, "cue_count": 1, "first_cues": ()} | fields
    return to_plain(SubtitleResult(**given))


def test_they_are_put_beside_and_whoever_reads_the_film_reads_them(job: JobRow, film: Path) -> None:
    umask = os.umask(0o077)
    try:
        assert put_beside(job, "subtitle", made(job)) == "Film.en.srt lies beside the film."
    finally:
        os.umask(umask)
    place = film.with_name("Film.en.srt")
    assert (place.read_text(), place.stat().st_mode & 0o777) == ("hello", 0o644)
    assert sorted(path.name for path in film.parent.iterdir()) == ["Film.en.srt", "Film.mkv"]


def test_done_again_they_are_renewed(job: JobRow, film: Path) -> None:
    put_beside(job, "subtitle", made(job))
    (job.directory / LEDGER).unlink()  # died before it was written
    put_beside(job, "subtitle", made(job))
    put_beside(job, "subtitle", made(job, "corrected"))
    put_beside(job, "subtitle", made(job, "kem chho", "gu"))
    assert film.with_name("Film.en.srt").read_text() == "corrected"
    assert film.with_name("Film.gu.srt").read_text() == "kem chho"


def test_a_file_of_somebody_else_and_one_that_somebody_changed_stay(job: JobRow, film: Path) -> None:
    place = film.with_name("Film.en.srt")
    place.write_text("bought")
    assert "was left as it is" in put_beside(job, "subtitle", made(job))
    assert place.read_text() == "bought"
    place.unlink()
    put_beside(job, "subtitle", made(job))
    place.write_text("put right by hand")
    assert "was left as it is" in put_beside(job, "subtitle", made(job, "done again"))
    assert place.read_text() == "put right by hand"


def test_a_link_is_not_followed(job: JobRow, film: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("other")
    film.with_name("Film.en.srt").symlink_to(other)
    assert "was left as it is" in put_beside(job, "subtitle", made(job))
    assert other.read_text() == "other"


def test_a_link_under_the_name_of_the_half_written_file_is_not_written_through(
    job: JobRow, film: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.txt"
    other.write_text("other")
    film.with_name(".Film.en.srt.part").symlink_to(other)
    assert put_beside(job, "subtitle", made(job)) == "Film.en.srt lies beside the film."
    assert (other.read_text(), film.with_name("Film.en.srt").is_symlink()) == ("other", False)


def test_a_folder_that_cannot_be_written_to_is_a_note(tmp_path: Path, film: Path) -> None:
    gone = job_of(tmp_path / "job", film.parent / "gone" / "Film.mkv")
    assert "could not be put beside the film: No such file" in put_beside(gone, "subtitle", made(gone))


def test_what_players_show_unasked_is_called_forced(tmp_path: Path, film: Path) -> None:
    job = job_of(tmp_path / "job", film, parameters={"mux": {"forced": ["en"]}})
    put_beside(job, "subtitle", made(job))
    assert film.with_name("Film.en.forced.srt").exists()


def test_nothing_is_put_where_nobody_asks_or_nothing_is_said(tmp_path: Path, film: Path, job: JobRow) -> None:
    unasked = job_of(tmp_path / "unasked", film, beside=False)
    assert put_beside(unasked, "subtitle", made(unasked)) == ""
    assert put_beside(job, "subtitle", made(job, cue_count=0)) == ""
    assert put_beside(job, "asr", made(job)) == ""
    assert put_beside(job, "subtitle", {"files": "wrong"}) == ""
    assert [path.name for path in film.parent.iterdir()] == ["Film.mkv"]
