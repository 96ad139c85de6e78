"""What a person can get wrong: one clear sentence, the right exit code, and no harm to other jobs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import imageio_ffmpeg
import pytest

from tests.data import two_speakers
from tests.real_house import RealHouse

pytestmark = [pytest.mark.env("common", "whisperx"), pytest.mark.slow, pytest.mark.timeout(120)]

FFMPEG = shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()


def make(path: Path, *arguments: str) -> Path:
    subprocess.run([FFMPEG, "-loglevel", "error", "-y", *arguments, f"file:{path}"], check=True)
    return path


PICTURE = ("-f", "lavfi", "-i", "testsrc=size=160x90:rate=24")


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a film of eight seconds of the two speakers."""
    path = tmp_path_factory.mktemp("films") / "talk.mkv"
    return make(
        path, *PICTURE, "-ss", "6", "-i", str(two_speakers()), "-t", "8", "-c:v", "libx264", "-shortest"
    )


def said(answer: tuple[int, list[dict[str, object]], str]) -> str:
    _, jobs, stderr = answer
    (job,) = jobs
    error = job["error"]
    assert isinstance(error, dict), stderr
    return str(error["message"])


def test_a_file_that_is_not_there_is_refused_and_nothing_is_submitted(
    real_house: RealHouse, talk: Path, tmp_path: Path
) -> None:
    done = real_house.cpw("submit", str(talk), str(tmp_path / "none.mkv"), "--workflow", "transcribe")
    assert done.returncode == 2
    assert "none.mkv" in done.stderr
    assert done.stderr.count("error:") == 1


def test_a_folder_without_films_is_refused(real_house: RealHouse, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no film")
    done = real_house.cpw("submit", str(tmp_path), "--workflow", "transcribe")
    assert done.returncode == 2
    assert "no film" in done.stderr.lower()


def test_an_empty_file_fails_with_one_sentence(real_house: RealHouse, tmp_path: Path) -> None:
    (tmp_path / "empty.mkv").touch()
    answer = real_house.submit(str(tmp_path / "empty.mkv"), "--workflow", "transcribe")
    assert answer[0] == 1
    assert "empty" in said(answer)


def test_a_text_with_a_films_name_fails_with_one_sentence(real_house: RealHouse, tmp_path: Path) -> None:
    (tmp_path / "story.mp4").write_text("Once upon a time. " * 200)
    answer = real_house.submit(str(tmp_path / "story.mp4"), "--workflow", "transcribe")
    assert answer[0] == 1
    assert "is not a film" in said(answer)


def test_a_film_cut_short_fails_with_one_sentence(real_house: RealHouse, tmp_path: Path) -> None:
    arguments = (*PICTURE, "-i", str(two_speakers()), "-t", "20", "-c:v", "libx264", "-shortest")
    whole = make(tmp_path / "whole.mp4", *arguments).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    answer = real_house.submit(str(tmp_path / "cut.mp4"), "--workflow", "transcribe")
    assert answer[0] == 1
    assert "cut.mp4" in said(answer)


def test_a_film_without_sound_fails_with_one_sentence(real_house: RealHouse, tmp_path: Path) -> None:
    silent = make(tmp_path / "silent.mp4", *PICTURE, "-t", "2", "-c:v", "libx264")
    answer = real_house.submit(str(silent), "--workflow", "subtitle")
    assert answer[0] == 1
    assert "no audio" in said(answer) or "no sound" in said(answer)


def test_one_bad_film_among_good_ones_fails_alone(real_house: RealHouse, talk: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.mkv").write_text("not a film")
    shutil.copy(talk, tmp_path / "good.mkv")
    code, jobs, _ = real_house.submit(str(tmp_path), "--workflow", "transcribe")
    assert code == 1
    states = {Path(str(job["media"])).name: job["state"] for job in jobs}
    assert states == {"bad.mkv": "failed", "good.mkv": "done"}


def test_an_audio_track_is_chosen_by_number_or_language_and_a_wrong_one_named(
    real_house: RealHouse, tmp_path: Path
) -> None:
    two = make(
        tmp_path / "two.mkv",
        *("-f", "lavfi", "-i", "sine=220:duration=8", "-ss", "6", "-i", str(two_speakers()), "-t", "8"),
        *("-map", "0:a", "-map", "1:a", "-metadata:s:a:0", "language=fra", "-metadata:s:a:1", "language=eng"),
    )
    code, jobs, stderr = real_house.submit(str(two), "--workflow", "transcribe", "--audio-track", "en")
    assert code == 0, stderr
    assert jobs[0]["language"] == "en"
    answer = real_house.submit(str(two), "--workflow", "transcribe", "--audio-track", "7")
    assert answer[0] == 1
    assert "7" in said(answer)
    assert "fr" in said(answer)


@pytest.mark.parametrize(
    "name",
    [
        "with space.mkv",
        'it\'s "quoted".mkv',
        "new\nline.mkv",
        "शोले 🎬.mkv",
        "-dash.mkv",
        "http:colon.mkv",
        "100%d.mkv",
        "semi;rm -rf $HOME.mkv",
    ],
)
def test_an_odd_name_is_just_a_name(real_house: RealHouse, talk: Path, tmp_path: Path, name: str) -> None:
    shutil.copy(talk, tmp_path / name)
    code, jobs, stderr = real_house.submit("--workflow", "subtitle", "--", str(tmp_path / name))
    assert code == 0, stderr
    assert all(Path(str(output)).is_file() for output in jobs[0]["outputs"])


def test_a_name_with_a_dash_in_the_current_folder_needs_only_two_dashes(
    real_house: RealHouse, talk: Path
) -> None:
    shutil.copy(talk, real_house.folder / "-x.mkv")
    code, _, stderr = real_house.submit("--workflow", "transcribe", "--", "-x.mkv")
    assert code == 0, stderr


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("--workflow", "transcribe", "-s", "klingon"), 2, "klingon"),
        (("--workflow", "dub"), 2, "dub"),
        (("--workflow", "subtitle", "-t", "gu"), 3, "Gujarati"),
        (("--workflow", "transcribe", "--set", "asr.model=whisper-small"), 3, "whisper-small"),
        (("--workflow", "transcribe", "--set", "asr.beem=3"), 2, "beem"),
        (("--workflow", "transcribe", "-t", "en"), 2, "transcribe"),
    ],
)
def test_what_is_written_wrong_or_missing_has_its_exit_code_and_sentence(
    real_house: RealHouse, talk: Path, words: tuple[str, ...], code: int, sentence: str
) -> None:
    done = real_house.cpw("submit", str(talk), *words)
    assert done.returncode == code, done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_model_comes_with_the_command_that_fetches_it(real_house: RealHouse, talk: Path) -> None:
    done = real_house.cpw("submit", str(talk), "--workflow", "transcribe", "--set", "asr.model=small")
    assert "cpw models fetch whisper-small" in done.stderr


def test_nobody_running_is_exit_code_4_with_the_command_that_starts_it(tmp_path: Path, talk: Path) -> None:
    house = RealHouse(tmp_path)
    done = house.cpw("submit", str(talk), "--workflow", "transcribe")
    assert done.returncode == 4
    assert "make up" in done.stderr
    assert house.cpw("health").returncode == 4
    assert house.cpw("down").returncode == 0
