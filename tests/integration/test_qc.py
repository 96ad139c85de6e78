"""`cpw qc` on files as people have them: the real command, the real environment `common`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.data import ROOT, data
from tests.labelled.judging import shelf_with_judge

pytestmark = [pytest.mark.integration, pytest.mark.env("common")]

GOOD = "1\n00:00:01,000 --> 00:00:03,000\nWe shall never surrender.\n\n"
BAD = (
    GOOD + "2\n00:00:03,000 --> 00:00:03,400\nThis one line has more than two and forty letters.\n\n"
    "3\n00:00:03,200 --> 00:00:12,000\n\n\n"
)
FRENCH = "1\n00:00:01,000 --> 00:00:04,000\nOù êtes-vous allée,\nma chère Hélène ?\n\n"


class Shell:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, text: str, encoding: str = "utf-8") -> str:
        (self.folder / name).write_bytes(text.encode(encoding))
        return name

    def qc(self, *words: str) -> tuple[int, str, str]:
        # Nothing of a terminal or a locale may be needed.
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
        done = subprocess.run(
            [ROOT / "venv" / "common" / "bin" / "cpw", "qc", *words],
            cwd=self.folder, env=environment, capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def report(self, *words: str) -> tuple[int, dict]:
        code, out, err = self.qc("--json", *words)
        assert err == ""
        return code, json.loads(out)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def broken(report: dict) -> dict[str, int]:
    return {rule["rule"]: rule["count"] for rule in report["rules"] if rule["count"]}


def test_a_good_file_passes(shell):
    code, out, err = shell.qc(shell.write("Film.en.srt", GOOD))
    assert (code, out, err) == (0, "1 cue, netflix, English: no rule is broken\n", "")


def test_a_bad_file_fails_and_says_where(shell):
    code, out, err = shell.qc(shell.write("Film.en.srt", BAD))
    assert code == 1
    # All its times are multiples of 40 ms.
    at = "25 frames per second, which its times keep to"
    assert err == f"note: gaps are counted at {at}; for another frame rate add --film FILE\n"
    rows = {line.split("  ")[0]: line for line in out.splitlines() if line}
    assert {"line length", "reading speed", "min duration", "max duration", "gap", "overlap", "empty"} <= set(
        rows
    )
    assert "42 characters" in rows["line length"]
    assert "2 at 00:00:03.000" in rows["line length"]
    assert "3 at 00:00:03.200" in rows["overlap"]
    assert out.splitlines()[-1].startswith("3 cues, netflix, English: 1 cue with a line too long, ")


def test_the_document_has_every_rule_and_the_cues_that_break_it(shell):
    code, report = shell.report(shell.write("Film.en.srt", BAD))
    assert (code, report["version"], report["ok"], report["encoding"]) == (1, 1, False, "utf-8")
    assert broken(report) == {
        "line_length": 1, "reading_speed": 1, "min_duration": 1, "max_duration": 1, "gap": 1, "overlap": 1,
        "empty": 1,
    }  # fmt: skip
    (overlap,) = next(rule["cues"] for rule in report["rules"] if rule["rule"] == "overlap")
    assert (overlap["cue"], overlap["start_ms"], overlap["value"]) == (3, 3_200, 200)


@pytest.mark.parametrize(
    ("encoding", "name"), [("cp1252", "cp1252"), ("utf-16", "utf-16"), ("utf-8-sig", "utf-8-sig")]
)
def test_a_file_of_another_encoding_is_read(shell, encoding, name):
    code, report = shell.report(shell.write("Film.fr.srt", FRENCH, encoding))
    assert (code, report["encoding"], report["language"], report["cue_count"]) == (0, name, "fr", 1)
    code, report = shell.report("--profile", "social", shell.write("Film.fr.srt", FRENCH, encoding))
    (found,) = next(rule["cues"] for rule in report["rules"] if rule["rule"] == "line_count")
    assert (code, found["lines"]) == (1, ["Où êtes-vous allée,", "ma chère Hélène ?"])


def test_lines_that_players_cannot_read_are_named_and_the_file_fails(shell):
    name = shell.write("Film.en.srt", GOOD.replace("-->", "->"))
    code, out, err = shell.qc(name)
    assert (code, err) == (1, "")
    told = "line 2 has times that are not as the format wants them"
    assert out.splitlines() == [f"{told}: 00:00:01,000 -> 00:00:03,000", f"1 cue, netflix, English: {told}"]
    name = shell.write("Film.fr.srt", FRENCH)
    (shell.folder / name).write_bytes(FRENCH.encode().replace(b"vous", b"v\xffus"))
    code, report = shell.report(name)
    (lost,) = report["lines"]
    assert (code, report["ok"], report["encoding"]) == (1, False, "utf-8")
    assert (lost["line"], lost["kind"]) == (3, "lost_character")


def test_the_times_tell_the_frames_of_the_film(shell):
    cues = [f"00:00:{at:02d},000 --> 00:00:{at + 1:02d},920\nWe go home now.\n" for at in range(1, 21, 2)]
    text = "".join(f"{number}\n{cue}\n" for number, cue in enumerate(cues, 1))
    code, report = shell.report(shell.write("Film.en.srt", text))
    assert (code, report["frames_per_second"], broken(report)) == (0, 25.0, {})


def test_a_file_that_is_no_subtitle_is_refused_in_a_sentence(shell):
    code, out, err = shell.qc(shell.write("story.srt", "Once upon a time.\n"))
    assert (code, out) == (1, "")
    assert err.startswith(f"error: {shell.folder}/story.srt is not a subtitle file.\n")
    assert "Traceback" not in err
    code, _, err = shell.qc("missing.srt")
    assert (code, "is not there" in err) == (1, True)


def test_what_is_written_wrong_is_refused_as_such(shell):
    name = shell.write("Film.en.srt", GOOD)
    code, _, err = shell.qc(name, "--profile", "cinema")
    assert (code, "no profile 'cinema'" in err, "netflix, bbc, social, relaxed" in err) == (2, True, True)
    code, _, err = shell.qc(name, "--language", "klingon")
    assert (code, "klingon" in err) == (2, True)


def test_the_film_tells_its_length_and_its_frames(shell):
    film = str(data("film/film_en.mp4"))
    late = GOOD + "2\n01:00:00,000 --> 01:00:02,000\nAfter the end.\n\n"
    code, report = shell.report(shell.write("Film.en.srt", late), "--film", film)
    assert (code, broken(report)) == (1, {"past_end": 1})
    assert report["film"]["frames_per_second"] > 0
    frames = shell.write("Film.en.sub", "{25}{75}We shall never surrender.\n")
    assert shell.qc(frames)[0] == 1
    assert shell.report(frames, "--film", film)[1]["format"] == "microdvd"
    code, _, err = shell.qc(frames, "--film", shell.write("no film.mp4", "x"))
    assert (code, "is not a film" in err) == (1, True)


def test_names_that_look_like_options_or_are_not_utf8_are_names(shell):
    shell.write("-x.en.srt", GOOD)
    assert shell.qc("--", "-x.en.srt")[0] == 0
    odd = os.fsdecode(b"\xe9t\xe9.fr.srt")
    shell.write(odd, GOOD)
    assert shell.qc(odd)[0] == 0


def test_without_a_language_it_says_so(shell):
    code, out, err = shell.qc(shell.write("Film.srt", GOOD.replace("We shall never surrender.", "Yes.")))
    assert code == 0
    assert "--language LANG" in err
    assert "no rule is broken" in out


def test_a_text_in_another_language_fails_with_its_lines_and_names_its_own(shell):
    shelf_with_judge()
    said = ("We have to leave before the sun comes up.", "Nobody knows where she has gone since then.")
    cues = [
        f"{at}\n00:00:{at * 4:02d},000 --> 00:00:{at * 4 + 3:02d},000\n{said[at % 2]}\n" for at in range(9)
    ]
    name = shell.write("Film.srt", "\n".join(cues))
    code, out, _ = shell.qc(name, "--language", "hi")
    assert code == 1
    assert "lines 3 to 35 (cues 1 to 9, 00:00:00.000 to 00:00:35.000) are in English, not in Hindi\n" in out
    assert "9 cues in another language" in out
    code, out, err = shell.qc(name)
    assert "netflix, English" in out
    assert "note: by its text the file is in English; add --language LANG if it is not\n" in err


def test_an_interrupted_check_ends_without_a_traceback(shell):
    endless = shell.folder / "endless.srt"
    os.mkfifo(endless)
    command = [ROOT / "venv" / "common" / "bin" / "cpw", "qc", "endless.srt"]
    with (
        subprocess.Popen(command, cwd=shell.folder, stderr=subprocess.PIPE) as process,
        endless.open("wb"),  # once somebody reads
    ):
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"Traceback" not in told
