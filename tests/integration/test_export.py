"""`cpw export` on folders of finished jobs: the real command, nothing else running."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import av
import psutil
import pysubs2
import pytest

from tests.data import ROOT
from tests.house import until
from tests.job_folders import JOB, JobFolderMaker, said

pytestmark = [pytest.mark.integration, pytest.mark.env("common")]

ENGLISH = said("en", "Why would it be lost?", "Because I counted on Mr. Dashwood!")
HINDI = said("hi", "यह क्यों खो जाएगा?", "क्योंकि मैंने श्री डैशवुड पर भरोसा किया!")
LONG = said(
    "en",
    "The ship that they had waited for since the early spring came into the harbour on a Sunday, "
    "and nobody saw it.",
)


@dataclass
class Shell:
    folder: Path
    """The job's."""
    home: Path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **{name: os.environ[name] for name in ("PATH", "FONTCONFIG_FILE") if name in os.environ},
            "LC_ALL": "C.UTF-8",
            "CPW_RUNTIME": str(self.home / "runtime"),
            "CPW_STATE": str(self.home / "state"),
            "CPW_OUT": str(self.home / "out"),
        }
        return subprocess.run(
            [ROOT / "venv" / "common" / "bin" / "cpw", *words],
            cwd=self.home, env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def export(self, *words: str) -> list[str]:
        """Export and return the names of the files that were said to be written; nothing else may be."""
        done = self.run("export", str(self.folder), "--json", *words)
        assert done.returncode == 0, done.stderr
        files = json.loads(done.stdout)["files"]
        assert all(Path(file["path"]).is_file() for file in files)
        return [Path(file["path"]).name for file in files]

    def refused(self, *words: str) -> tuple[int, str]:
        done = self.run("export", str(self.folder), *words)
        assert done.stdout == ""
        assert not (self.folder / "export").exists()
        return done.returncode, done.stderr

    def text(self, name: str) -> str:
        return (self.folder / "export" / name).read_text(encoding="utf-8")


@pytest.fixture
def film(make) -> Path:
    picture = ("-f", "lavfi", "-i", "testsrc=d=12:s=64x64:r=25")
    sound = ("-f", "lavfi", "-i", "sine=d=12")
    return make("film.mp4", *picture, *sound, "-c:v", "mpeg4", "-c:a", "aac")


@pytest.fixture
def shell(tmp_path: Path, film: Path) -> Shell:
    folder = tmp_path / "out" / "2026" / "11" / "22" / "anyone" / "0007"
    job = JobFolderMaker(folder, film, target_languages=("hi",))
    return Shell(job.make(ENGLISH, HINDI), tmp_path)


@pytest.fixture
def job(tmp_path: Path, film: Path) -> JobFolderMaker:
    return JobFolderMaker(tmp_path / "job", film)


def test_an_export_without_options_is_byte_for_byte_what_the_job_wrote(shell):
    formats = ("srt", "vtt", "txt", "json")
    assert shell.export("--format", ",".join(formats)) == [
        f"Film.{language}.{form}" for language in ("en", "hi") for form in (*formats, "qc.json")
    ]
    for form in ("srt", "vtt", "txt"):
        for language in ("en", "hi"):
            name = f"Film.{language}.{form}"
            assert shell.text(name).encode() == (shell.folder / "11_subtitle" / name).read_bytes()


def test_a_clip_keeps_the_films_clock(job, tmp_path):
    job.submit = replace(job.submit, start_ms=3_000, end_ms=11_000)
    folder = job.make(ENGLISH)
    shell = Shell(folder, tmp_path)
    shell.export()
    assert shell.text("Film.en.srt").startswith("1\n00:00:03,200 --> ")
    assert shell.text("Film.en.srt") == (folder / "11_subtitle" / "Film.en.srt").read_text()


def test_shot_changes_that_the_job_found_are_kept_clear_of(tmp_path, make):
    cuts = "color=c=black:s=64x64:r=25:d=3.32,split[a][b];[b]negate[c];[a][c]concat"
    film = make("cuts.mp4", "-f", "lavfi", "-i", cuts, "-f", "lavfi", "-i", "sine=d=6.64", "-c:v", "mpeg4")
    asked = {"demux": {"shot_changes": True}}
    maker = JobFolderMaker(tmp_path / "job", film, parameters=asked)
    folder = maker.make(said("en", "Why would it be lost?", from_ms=3_200))
    shell = Shell(folder, tmp_path)
    shell.export()
    assert shell.text("Film.en.srt").startswith("1\n00:00:03,320 --> ")
    assert shell.text("Film.en.srt") == (folder / "11_subtitle" / "Film.en.srt").read_text()


def test_a_profile_cuts_the_same_words_anew(job, tmp_path):
    shell = Shell(job.make(LONG), tmp_path)
    assert shell.export("--format", "ass", "--profile", "social") == ["Film.en.ass", "Film.en.qc.json"]
    events = pysubs2.load(str(shell.folder / "export" / "Film.en.ass"))
    assert all("\n" not in event.plaintext and len(event.plaintext) <= 32 for event in events)
    assert " ".join(event.plaintext for event in events) == LONG.segments[0].text
    assert json.loads(shell.text("Film.en.qc.json"))["profile"] == "social"


def test_what_was_set_for_the_job_holds_until_a_profile_is_named(job, tmp_path):
    shell = Shell(job.make(LONG, profile="bbc", max_lines=1), tmp_path)
    shell.export()
    assert shell.text("Film.en.srt") == (shell.folder / "11_subtitle" / "Film.en.srt").read_text()
    shell.export("--profile", "netflix")
    assert any("\n" in event.plaintext for event in pysubs2.SSAFile.from_string(shell.text("Film.en.srt")))


def test_whatever_else_was_set_for_the_jobs_subtitles_holds_too(job, tmp_path):
    asked = {"karaoke": True, "frames_per_second": 12.0}
    shell = Shell(job.make(LONG, formats=("srt", "ass"), **asked), tmp_path)
    shell.export("--format", "srt,ass")
    for name in ("Film.en.srt", "Film.en.ass"):
        assert shell.text(name) == (shell.folder / "11_subtitle" / name).read_text(), name
    shell.export("--format", "ass", "--profile", "netflix")
    assert r"\k" not in shell.text("Film.en.ass")


def test_a_number_of_the_profile_can_be_changed(job, tmp_path):
    shell = Shell(job.make(LONG), tmp_path)
    shell.export("--set", "max_line_graphemes=20", "--set", "subtitle.max_lines=1")
    cues = pysubs2.SSAFile.from_string(shell.text("Film.en.srt"))
    assert max(len(cue.plaintext) for cue in cues) <= 20


def test_two_languages_share_a_file_the_first_above_the_second(shell):
    names = shell.export("--bilingual", "hi+en", "--format", "srt,vtt,ass,ttml,tsv")
    assert names == [f"Film.hi+en.{suffix}" for suffix in ("srt", "vtt", "ass", "ttml", "tsv", "qc.json")]
    cues = pysubs2.SSAFile.from_string(shell.text("Film.hi+en.srt"))
    assert cues[0].plaintext == "यह क्यों खो जाएगा?\nWhy would it be lost?"
    report = json.loads(shell.text("Film.hi+en.qc.json"))
    assert [share["language"] for share in report["shared_by"]] == ["hi", "en"]
    assert report["ok"]
    rows = list(csv.reader(shell.text("Film.hi+en.tsv").splitlines(), delimiter="\t"))
    assert len(rows) == len(cues) + 1


def test_in_a_bilingual_file_each_language_is_judged_by_how_fast_it_is_to_read_itself(job, tmp_path):
    job.submit = replace(job.submit, target_languages=("pt",))
    quick = said("pt", "Inacreditavelmente extraordinariamente incompreensivelmente.", word_ms=400)
    slow = said("en", "Oh dear me!", word_ms=400)
    shell = Shell(job.make(slow, quick), tmp_path)
    done = shell.run("export", str(shell.folder), "--bilingual", "en+pt", "--json")
    (srt, qc) = json.loads(done.stdout)["files"]
    assert srt["quality"].startswith("pt: ")
    assert "too fast to read (unavoidable)" in srt["quality"]
    report = json.loads(Path(qc["path"]).read_text())
    assert report["ok"]
    english, portuguese = report["shared_by"]
    assert (english["sentence"], portuguese["language"]) == ("", "pt")
    assert portuguese["sentence"] in srt["quality"]


def test_a_job_is_found_by_its_id_where_nothing_runs(shell):
    done = shell.run("export", JOB)
    assert done.returncode == 0, done.stderr
    paths = [str(shell.folder / "export" / f"Film.{language}.srt") for language in ("en", "hi")]
    assert [line.split(" (")[0] for line in done.stdout.splitlines()] == paths


def test_a_job_that_is_not_here_is_asked_for_and_nobody_answers(shell):
    done = shell.run("export", "job-20261122-anyone-0099")
    assert done.returncode == 4
    assert "make up" in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--language", "ta"), "has no transcript in Tamil, but in en, hi."),
        (("--bilingual", "en+ta"), "has no transcript in Tamil"),
        (("--bilingual", "en+en"), "has two languages, and en+en has one"),
        (("--bilingual", "en"), "does not name two languages"),
        (("--bilingual", "en+hi", "--format", "json"), "cannot share a file of the format json"),
        (("--format", "docx"), "'docx' is not a subtitle format"),
        (("--profile", "bb"), "There is no profile 'bb'"),
        (("--set", "max_lines=0"), "subtitle.max_lines is 0"),
        (("--karaoke",), "Only ASS files of one language"),
        (("--karaoke", "--format", "ass", "--bilingual", "en+hi"), "Only ASS files of one language"),
        (("--burn", ""), "--burn names no language"),
        (("--out", ""), "The --out folder's name is empty"),
        (("--set", "karaoke=true"), "an export cannot change that"),
        (("--set", "asr.beam_size=3"), "an export cannot change that"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_written(shell, words, told):
    code, said_ = shell.refused(*words)
    assert code == 2
    assert told in said_
    assert "Traceback" not in said_


def test_a_transcript_that_did_not_come_along_is_told_of(shell):
    (shell.folder / "10_translate" / "transcript.hi.json").unlink()
    code, told = shell.refused("--language", "hi")
    assert code == 1
    assert "no transcript in Hindi any more: 10_translate/transcript.hi.json is gone" in told
    done = shell.run("export", str(shell.folder))
    assert done.returncode == 0
    assert "note: 10_translate/transcript.hi.json is gone" in done.stderr
    assert done.stdout.count("\n") == 1


def test_a_folder_that_is_no_jobs_is_told_so(shell):
    done = shell.run("export", str(shell.home))
    assert (done.returncode, done.stdout) == (2, "")
    assert "is neither a job nor a job folder" in done.stderr


def test_a_job_without_a_transcript_yet_is_told_so(job, tmp_path):
    job.make(ENGLISH)
    job.forget("clean")
    code, told = Shell(job.directory, tmp_path).refused()
    assert code == 1
    assert "has no transcript yet" in told


def test_work_of_a_person_in_another_folder_is_not_overwritten_unless_they_say_so(shell):
    out = str(shell.home / "mine")
    shell.export("--out", out)
    shell.export("--out", out)
    edited = shell.home / "mine" / "Film.hi.srt"
    edited.write_text("edited")
    done = shell.run("export", str(shell.folder), "--out", out, "--profile", "bbc")
    assert done.returncode == 1
    assert "is there already, with other contents" in done.stderr
    assert edited.read_text() == "edited"
    shell.export("--out", out, "--overwrite")
    assert edited.read_text() != "edited"


def test_a_folder_that_cannot_be_written_to_is_named(shell):
    (shell.home / "mine").write_text("a file")
    code, told = shell.refused("--out", str(shell.home / "mine"))
    assert code == 1
    assert f"{shell.home / 'mine'} cannot be written" in told
    assert "Traceback" not in told


def test_the_json_tells_words_confidences_cues_and_what_made_them(shell):
    shell.export("--format", "json", "--language", "en")
    found = json.loads(shell.text("Film.en.json"))
    assert found["language"] == "en"
    assert found["segments"][0]["words"][0] == {
        "text": "Why", "start_ms": 200, "end_ms": 480, "probability": None, "timed_by": "wav2vec2"
    }  # fmt: skip
    assert [line for cue in found["cues"] for line in cue["lines"]] == [
        segment.text for segment in ENGLISH.segments
    ]
    assert found["provenance"]["engine"] == "whisperx"
    assert found["provenance"]["model"] == "whisper-base"
    assert found["provenance"]["profile"] == "netflix"
    assert found["provenance"]["job"] == JOB


def test_karaoke_lights_up_each_word(shell):
    shell.export("--format", "ass", "--karaoke", "--language", "en")
    assert r"{\k30}Why {\k30}would" in shell.text("Film.en.ass")


def test_a_title_with_dots_and_quotes_of_its_own_is_no_trouble(tmp_path, film):
    maker = JobFolderMaker(tmp_path / "job", film, title="It's 2.0.en: Mr. X")
    shell = Shell(maker.make(ENGLISH), tmp_path)
    assert shell.export("--format", "srt") == ["It's 2.0.en: Mr. X.en.srt", "It's 2.0.en: Mr. X.en.qc.json"]


@pytest.mark.usefixtures("fonts")
def test_a_language_is_drawn_into_the_picture_and_the_jobs_film_stays(shell):
    job_files = {path: path.stat().st_mtime_ns for path in shell.folder.rglob("*") if path.is_file()}
    assert shell.export("--burn", "en") == ["Film_burned.en.mp4"]
    with av.open(str(shell.folder / "export" / "Film_burned.en.mp4")) as film:
        assert [stream.type for stream in film.streams] == ["video", "audio"]
        assert film.duration == pytest.approx(12_000_000, abs=100_000)
    assert {path: path.stat().st_mtime_ns for path in job_files} == job_files
    assert [path.name for path in (shell.folder / "export").iterdir()] == ["Film_burned.en.mp4"]


@pytest.mark.usefixtures("fonts")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_or_a_kill_ends_the_drawing_and_leaves_nothing_half_written(tmp_path, make, end):
    film = make("long.mp4", "-f", "lavfi", "-i", "mandelbrot=s=960x540:r=25,trim=duration=20",
                "-f", "lavfi", "-i", "sine=d=20", "-c:v", "mpeg4", "-q:v", "2", "-c:a", "aac")  # fmt: skip
    shell = Shell(JobFolderMaker(tmp_path / "job", film).make(ENGLISH), tmp_path)
    command = [ROOT / "venv" / "common" / "bin" / "cpw", "export", shell.folder, "--burn", "en"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        until(lambda: list((shell.folder / "export").glob(".*.part")), what="the drawing has begun")
        drawing = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
        process.send_signal(end)
        _, told = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in told
    assert list((shell.folder / "export").iterdir()) == []
    assert len(drawing) >= 2
    assert not any(psutil.pid_exists(pid) for pid in drawing)


@pytest.mark.usefixtures("fonts")
def test_where_the_film_is_gone_the_one_with_tracks_is_drawn_into(shell, film):
    film.unlink()
    assert shell.export("--burn", "en") == ["Film_burned.en.mp4"]


def test_a_film_that_is_gone_cannot_be_drawn_into(shell, film):
    film.unlink()
    (shell.folder / "12_mux" / "Film_subtitled.mp4").unlink()
    code, told = shell.refused("--burn", "en")
    assert code == 1
    assert "film.mp4" in told
    assert shell.export("--format", "srt", "--language", "en") == ["Film.en.srt", "Film.en.qc.json"]
