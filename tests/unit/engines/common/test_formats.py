from __future__ import annotations

import pysubs2

from protocol.timeline import Cue
from workers.engines.common.formats import clock_time, to_srt, to_vtt

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
        assert [(each.start, each.end, each.text) for each in read] == [
            (3_000, 5_120, r"one\Ntwo"),
            (3_600_000, 3_601_001, "क्या?"),
        ]


def test_no_cue_is_a_valid_file_without_cues():
    assert to_srt(()) == ""
    assert to_vtt(()) == "WEBVTT\n\n"
    assert len(pysubs2.SSAFile.from_string(to_vtt(()), format_="vtt")) == 0


def test_a_hundred_hours_are_written_in_full():
    assert clock_time(360_000_000) == "100:00:00.000"
