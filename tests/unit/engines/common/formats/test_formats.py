from __future__ import annotations

import pysubs2
import pytest

from protocol.timeline import Cue
from workers.engines.common.formats.srt_vtt import clock_time, to_srt, to_vtt

CUES = (
    Cue(start_ms=3_000, end_ms=5_120, lines=("Tom & <i>Jerry</i>", r"C:\New {x}")),
    Cue(start_ms=3_600_000, end_ms=3_601_001, lines=("क्या?",)),
)


def test_srt_is_numbered_with_comma_times_and_its_text_untouched():
    assert to_srt(CUES) == (
        "1\n00:00:03,000 --> 00:00:05,120\nTom & <i>Jerry</i>\nC:\\New {x}\n\n"
        "2\n01:00:00,000 --> 01:00:01,001\nक्या?\n\n"
    )


def test_vtt_starts_with_its_signature_and_escapes_markup():
    assert to_vtt(CUES) == (
        "WEBVTT\n\n00:00:03.000 --> 00:00:05.120\nTom &amp; &lt;i&gt;Jerry&lt;/i&gt;\nC:\\New {x}\n\n"
        "01:00:00.000 --> 01:00:01.001\nक्या?\n\n"
    )


def test_another_program_reads_the_same_times_and_text():
    cues = (Cue(start_ms=3_000, end_ms=5_120, lines=("one", "two")), CUES[1])
    for text in (to_srt(cues), to_vtt(cues)):
        read = pysubs2.SSAFile.from_string(text)
        assert [(event.start, event.end, event.text) for event in read] == [
            (3_000, 5_120, r"one\Ntwo"),
            (3_600_000, 3_601_001, "क्या?"),
        ]


def test_no_cue_is_a_valid_file_without_cues():
    assert to_srt(()) == ""
    assert to_vtt(()) == "WEBVTT\n\n"
    assert len(pysubs2.SSAFile.from_string(to_vtt(()), format_="vtt")) == 0


def test_a_line_that_runs_from_right_to_left_says_so_where_the_language_is_told():
    cues = (Cue(start_ms=0, end_ms=900, lines=("YouTube پر آئیں؟", "OK")),)
    assert "YouTube پر آئیں؟\nOK\n" in to_srt(cues)
    for text in (to_srt(cues, "ur"), to_vtt(cues, "ur")):
        assert "\u202bYouTube پر آئیں؟\u202c\nOK\n" in text
    assert "\u202b" not in to_srt(cues, "en")


@pytest.mark.parametrize("write", [to_srt, to_vtt])
def test_no_line_of_text_ends_a_cue_or_begins_another(write):
    lines = ("one\n\n2\n00:00:05,000 --> x\ntwo", " ", "", "\u2028", "x\ud800\r\n\r\n")
    text = write((Cue(start_ms=0, end_ms=900, lines=lines), *CUES))
    assert len(pysubs2.SSAFile.from_string(text)) == 3
    assert text.count("\n\n") == 3 + (write is to_vtt)
    assert text.encode().decode() == text


@pytest.mark.parametrize("write", [to_srt, to_vtt])
def test_a_cue_without_text_is_left_out_and_not_counted(write):
    silent = Cue(start_ms=0, end_ms=900, lines=(" ",))
    assert write((silent, *CUES, silent)) == write(CUES)


@pytest.mark.parametrize("write", [to_srt, to_vtt])
def test_an_arrow_in_the_text_is_none_in_the_file(write):
    text = write((Cue(start_ms=0, end_ms=900, lines=("a --> b",)),))
    assert text.count("-->") == 1


def test_letters_are_written_as_they_were_heard():
    for said in ("क़लम", "e\u0301te\u0301"):
        assert said in to_srt((Cue(start_ms=0, end_ms=900, lines=(said,)),), "hi")


def test_a_hundred_hours_are_written_in_full():
    assert clock_time(360_000_000) == "100:00:00.000"
