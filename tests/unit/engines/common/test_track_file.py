"""The cues of a file, and of a job's track."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from protocol.errors import InputError, UsageError
from protocol.timeline import Cue
from tests.job_folders import write_job
from workers.engines.common import track_file
from workers.engines.common.track_file import read_job_track, read_track

SRT = "1\n00:00:02,000 --> 00:00:03,000\nहाँ।\n\n2\n00:00:00,500 --> 00:00:01,000\n<i>श्री</i>\nमोदी\n\n"
VTT = "WEBVTT\n\n00:02.000 --> 00:03.000\nहाँ।\n\n00:00.500 --> 00:01.000\n<i>श्री</i>\nमोदी\n"


def judge(text: str) -> list[tuple[str, float]]:
    return [("hi" if "हाँ" in text or "श्री" in text else "en", 0.99)]


@pytest.mark.parametrize(("name", "text"), [("Film.hi.srt", SRT), ("Film.hi.vtt", VTT)])
def test_cues_come_in_order_without_markup_from_any_format(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    found = read_track(tmp_path / name)
    assert [cue.lines for cue in found.cues] == [("श्री", "मोदी"), ("हाँ।",)]
    assert (found.language, found.language_by, found.format) == ("hi", "name", name[-3:])


def test_an_option_goes_before_the_name_and_the_text_after_it(tmp_path: Path) -> None:
    (tmp_path / "Film.en.srt").write_text(SRT * 30, encoding="utf-8")
    (tmp_path / "Film.srt").write_text(SRT * 30, encoding="utf-8")
    asked = read_track(tmp_path / "Film.en.srt", language="Hindi", judge=judge)
    assert (asked.language, asked.language_by) == ("hi", "option")
    named = read_track(tmp_path / "Film.en.srt", judge=judge)
    assert (named.language, named.text_language) == ("en", "hi")
    told = read_track(tmp_path / "Film.srt", judge=judge)
    assert (told.language, told.language_by) == ("hi", "text")
    assert read_track(tmp_path / "Film.srt").language == "und"


def test_an_empty_file_has_no_cues(tmp_path: Path) -> None:
    (tmp_path / "Film.en.srt").write_text("")
    assert read_track(tmp_path / "Film.en.srt", judge=judge).cues == ()


def test_a_jobs_track_is_that_of_the_language(tmp_path: Path) -> None:
    english = (Cue(start_ms=500, end_ms=1_500, lines=("The first cue,", "of two lines")),)
    spanish = (Cue(start_ms=500, end_ms=1_500, lines=("La primera",)),)
    job = write_job(tmp_path / "job", tmp_path / "film.mkv", {"en": english, "es": spanish})
    assert read_job_track(job, "es").cues == spanish
    found = read_job_track(job, "en")
    assert (found.cues, found.language, found.language_by) == (english, "en", "job")
    # WebVTT tells text from markup: it is read before SRT.
    assert found.file.endswith("Film.en.vtt")
    with pytest.raises(UsageError, match="no subtitles in Hindi") as refused:
        read_job_track(job, "hi")
    assert "en (English), es (Spanish)" in refused.value.remedy
    for path in job.glob("*/Film.en.*"):
        path.unlink()
    with pytest.raises(UsageError, match="no subtitles in English") as unwritten:
        read_job_track(job, "en")
    assert "cpw export job-20261122-anyone-0007 -l en" in unwritten.value.remedy


def test_a_job_without_a_file_to_read_is_told(tmp_path: Path) -> None:
    cues = (Cue(start_ms=500, end_ms=1_500, lines=("One",)),)
    job = write_job(tmp_path / "job", tmp_path / "film.mkv", {"en": cues})
    for path in (*job.glob("*/*.srt"), *job.glob("*/*.vtt")):
        path.unlink()
    with pytest.raises(InputError, match="no subtitle file"):
        read_job_track(job, "en")


def test_the_program_answers_or_refuses_in_one_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "Film.hi.srt"
    path.write_text(SRT, encoding="utf-8")
    assert track_file.main([str(path)]) == 0
    assert len(json.loads(capsys.readouterr().out)["cues"]) == 2
    assert track_file.main([str(tmp_path / "none.srt")]) == 2
    assert "none.srt is not there" in json.loads(capsys.readouterr().out)["error"]["message"]
    assert track_file.main(["--language", "Klingon", str(path)]) == 2
