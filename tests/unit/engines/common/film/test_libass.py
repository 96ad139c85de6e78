from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from protocol.timeline import Cue
from workers.engines.common.film import libass
from workers.engines.common.film.libass import (
    ass_file,
    ass_filter,
    choose_fonts,
    escape,
    families_with,
    is_text,
)


def cues(*lines: str) -> list[Cue]:
    return [Cue(start_ms=0, end_ms=1_000, lines=(line,)) for line in lines]


@pytest.fixture
def installed(monkeypatch):
    """Return how to say which letters which installed family has."""

    def say(**families: str) -> None:
        having = {name.replace("_", " "): letters for name, letters in families.items()}
        monkeypatch.setattr(
            libass,
            "families_with",
            lambda letters: frozenset(name for name, its in having.items() if set(letters) <= set(its)),
        )

    return say


def test_the_first_font_of_the_table_that_has_all_letters_is_chosen(installed):
    installed(Noto_Naskh_Arabic="سلم", DejaVu_Sans="سلمabc", Arial="abc")
    assert choose_fonts(cues("سلم", "abc")) == {"ARABIC": "Noto Naskh Arabic", "LATIN": "Arial"}


def test_a_font_without_one_of_the_letters_is_not_chosen_for_the_script(installed):
    installed(DejaVu_Sans="سلمabc", Noto_Nastaliq_Urdu="سلمے")
    assert choose_fonts(cues("سلم ے", "abc"))["LATIN"] == "DejaVu Sans"
    assert choose_fonts(cues("سلم ے"))["ARABIC"] == "Noto Nastaliq Urdu"


def test_of_fonts_that_no_table_names_a_plain_one_is_chosen(installed):
    installed(Some_Serif="क", Other_Sans_Display="क", Some_Sans="क")
    assert choose_fonts(cues("क")) == {"DEVANAGARI": "Some Sans"}


def test_letters_of_another_script_are_not_asked_of_a_scripts_font(installed):
    installed(Mangal="कमल।", Yu_Gothic="かカ漢")
    assert choose_fonts(cues("कमल BBC 12", "かカ漢 NHK")) == {"DEVANAGARI": "Mangal", "HIRAGANA": "Yu Gothic"}


def test_without_letters_or_a_font_none_is_chosen(installed):
    installed()
    assert choose_fonts(cues("12 - 34", "♪", "abc")) == {}


def test_a_familys_name_with_a_comma_cannot_stand_in_a_style(monkeypatch):
    def answers(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        assert command[-1] == ":scalable=true:charset=61 915"
        return subprocess.CompletedProcess(command, 0, stdout=b"Good\nGood\nBad, Bold\n")

    monkeypatch.setattr(libass.shutil, "which", lambda _: "/usr/bin/fc-list")
    monkeypatch.setattr(libass.subprocess, "run", answers)
    assert families_with("aक") == {"Good"}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("/tmp/cues.ass", "/tmp/cues.ass"),
        ("a:b", r"a\\:b"),
        ("it's", r"it\\\'s"),
        ("a\\b", r"a\\\\b"),
        ("[x],y;z", r"\[x\]\,y\;z"),
        ("100% = x", "100% = x"),
    ],
)
def test_a_value_is_escaped_for_the_filter_and_for_the_graph(value, written):
    assert escape(value) == written


def test_the_filter_is_told_the_picture_as_it_is_seen():
    assert ass_filter(Path("/x/cues.ass"), (1024, 576)) == "ass=filename=/x/cues.ass:original_size=1024x576"


def test_what_is_text_must_be_drawn_and_what_is_a_picture_need_not():
    assert all(map(is_text, "aक्5५।\u064f\u06d4"))
    assert not any(map(is_text, "♪\U0001f600→⁉"))


def test_the_file_is_gone_once_it_was_drawn_from():
    with ass_file("नमस्ते") as path:
        assert path.read_text(encoding="utf-8") == "नमस्ते"
    assert not path.parent.exists()
