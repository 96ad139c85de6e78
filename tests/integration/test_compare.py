"""`cpw compare` of jobs: a house of real processes, with engines that are quick."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol.messages import JobReport
from tests.house import ROOT, House

pytestmark = [pytest.mark.integration, pytest.mark.slow]

Done = subprocess.CompletedProcess[str]


class Shell:
    """Two jobs of one film, one of another, and the command."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.calm = self._job(b"one film")
        self.loud = self._job(b"one film", translate={"target_script": "doubtful"})
        self.other = self._job(b"another film")

    def _job(self, film: bytes, **parameters: dict[str, str]) -> JobReport:
        wishes = {"workflow": "translate", "source_language": "hi", "target_languages": ("en",)}
        return self.house.ended(self.house.submit(film, parameters=parameters, **wishes))

    def compare(self, *words: str) -> Done:
        command = [self.house.home / "venv" / "common" / "bin" / "python", "-m", "clients.cli", "compare"]
        return subprocess.run(
            [*command, *words],
            env=self.house.environ | {"CPW_OUT": str(self.house.out)},
            cwd=self.house.home, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=60,
        )  # fmt: skip


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    with House(tmp_path_factory.mktemp("house")) as house:
        house.start()
        yield Shell(house)


def test_two_translations_of_one_film_side_by_side(shell: Shell) -> None:
    # The same film under two names: it is known by its sound.
    assert shell.calm.media != shell.loud.media
    done = shell.compare(shell.calm.job, shell.loud.job, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["comparisons"]["hi"]["error_rate"] == 0.0
    heard, translated = found["texts"]["hi"], found["texts"]["en"]
    assert (heard["lines"], heard["different"]) == (0, [])
    assert (translated["a"]["marks"], translated["b"]["marks"]) == ({}, {"untranslated": 1})
    assert translated["b"]["engines"] == {"loud": 1}
    assert (translated["lines"], translated["different_lines"]) == (1, 1)
    (line,) = translated["different"]
    assert (line["start_ms"], line["a"], line["b"]) == (100, "hello world", "HELLO WORLD!")


def test_without_the_libraries_all_else_is_shown_and_a_note_says_so(shell: Shell) -> None:
    done = shell.compare(shell.calm.job, shell.loud.job, "--lines", "0")
    assert done.returncode == 0, done.stderr
    assert "came back as it was  0" in done.stdout
    assert "1 of 1 lines differ" in done.stdout
    assert "HELLO WORLD!" not in done.stdout
    assert "chrF was not measured" in done.stderr


def test_two_films_are_refused(shell: Shell) -> None:
    done = shell.compare(shell.calm.job, shell.other.job)
    assert (done.returncode, done.stdout) == (2, "")
    assert "are of two different films: Film 0.mkv and Film 2.mkv" in done.stderr


def test_a_job_against_a_file(shell: Shell, tmp_path: Path) -> None:
    reference = tmp_path / "meant.en.srt"
    reference.write_text("1\n00:00:00,400 --> 00:00:01,200\nHello, wide world!\n")
    done = shell.compare(shell.calm.job, "--reference", str(reference), "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["words"]["missing"], found["words"]["error_rate"]) == (1, 1 / 3)
    assert found["timing"]["starts"]["median_ms"] == -300
    assert (found["chrf"], found["different_lines"]) == (None, 1)
    spanish = tmp_path / "meant.es.srt"
    spanish.write_text(reference.read_text())
    done = shell.compare(shell.calm.job, "--reference", str(spanish))
    assert (done.returncode, done.stdout) == (2, "")
    assert "has no subtitles in Spanish" in done.stderr


def test_a_language_that_the_jobs_do_not_share_is_told(shell: Shell) -> None:
    done = shell.compare(shell.calm.job, shell.loud.job, "-l", "ta")
    assert done.returncode == 2
    assert "Both have: hi, en" in done.stderr


@pytest.mark.env("scores")
def test_with_the_libraries_there_is_a_figure(shell: Shell) -> None:
    home = shell.house.home
    (home / "envspecs" / "scores.toml").write_text((ROOT / "envspecs" / "scores.toml").read_text())
    not_built = shell.compare(shell.calm.job, shell.loud.job)
    # CPW_SETUP is off in tests: nothing is built by itself.
    assert "cpw envs build scores builds what measures it" in not_built.stderr
    (home / "venv" / "scores").symlink_to(os.path.realpath(ROOT / "venv" / "scores"))
    done = shell.compare(shell.calm.job, shell.loud.job, "-l", "English", "--json")
    assert list(json.loads(done.stdout)["texts"]) == ["en"]
    found = json.loads(done.stdout)["texts"]["en"]
    assert found["chrf"] == found["different"][0]["chrf"]
    assert 0 <= found["chrf"] < 100
