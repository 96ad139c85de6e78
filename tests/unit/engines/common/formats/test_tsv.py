from __future__ import annotations

import csv

import pytest

from protocol.timeline import Cue
from tests.ten_scripts import MARKUP, TEN_SCRIPTS, cues_of
from workers.engines.common.formats.tsv import to_tsv


def test_it_is_what_whisper_writes():
    cues = (
        Cue(start_ms=0, end_ms=1_500, lines=("Hello", "there.")),
        Cue(start_ms=1_600, end_ms=3_001, lines=("Yes",)),
    )
    assert to_tsv(cues) == "start\tend\ttext\n0\t1500\tHello there.\n1600\t3001\tYes\n"


@pytest.mark.parametrize("language", TEN_SCRIPTS)
def test_a_reader_of_tsv_reads_every_script_back(language):
    cues = (*cues_of(language), Cue(start_ms=90_000, end_ms=91_000, lines=MARKUP))
    rows = list(csv.DictReader(to_tsv(cues, language).splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    between = "" if language == "ja" else " "
    assert [(row["start"], row["end"], row["text"]) for row in rows] == [
        (str(cue.start_ms), str(cue.end_ms), between.join(cue.lines)) for cue in cues
    ]


@pytest.mark.parametrize("ending", ["\t", "\n", "\r\n", "\x85", "\u2029"])
def test_tabs_and_line_ends_in_a_text_are_spaces(ending):
    (row,) = to_tsv([Cue(start_ms=0, end_ms=1, lines=(f'{ending}"a{ending}b',))]).splitlines()[1:]
    assert row.split("\t")[:2] == ["0", "1"]
    assert row.split("\t")[2].split() == ['"a', "b"]


def test_latin_words_keep_their_space_in_a_language_without_spaces():
    cue = Cue(start_ms=0, end_ms=1, lines=("とYouTube", "Music", "で。"))
    assert to_tsv([cue], "ja").endswith("とYouTube Musicで。\n")


def test_no_cue_is_the_head_alone():
    assert to_tsv(()) == "start\tend\ttext\n"
