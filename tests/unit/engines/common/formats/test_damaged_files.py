"""Files as programs and copies left them: nothing is lost without a word."""

# ruff: noqa: RUF001 - the scripts and dashes are the subject.

from __future__ import annotations

import pytest

from protocol.errors import InputError
from protocol.timeline import Cue
from tests.unit.engines.common.formats.test_reading import SPOKEN, write
from workers.engines.common.formats.reading.files import read_cues, read_subtitles
from workers.engines.common.formats.srt_vtt import to_srt

HINDI = SPOKEN["utf-16", "hi"]


def broken(found) -> list[tuple[int, str]]:
    return [(line.line, line.kind) for line in found.broken]


@pytest.mark.parametrize(
    "times",
    [
        "00:00:03,000 -> 00:00:04,500",
        "00:00:03,000 –> 00:00:04,500",
        "00:00:03,000 => 00:00:04,500",
        "00:00:03,000 → 00:00:04,500",
        "00:00:03,000 -- > 00:00:04,500",
        "00:00:03,000 00:00:04,500",
        "00:00:03,000 - 00:00:04,500",
        "00:00: 03,000 --> 00:00 :04,500",
        "00:00:03,0000 --> 00:00:04,5000",
        "00:00:O3,000 --> 00:00:04,5OO",
        "00.00.03.000 --> 00.00.04.500",
        "00:00:03;000 --> 00:00:04;500",
        "2 00:00:03,000 --> 00:00:04,500",
        "00:00:03,000 --> 00:00:04,500.",
    ],
)
def test_times_that_players_cannot_read_are_read_as_meant_and_told(tmp_path, times):
    text = (
        "1\n00:00:01,000 --> 00:00:02,000\nOne.\n\n"
        f"2\n{times}\nTwo.\n\n"
        "3\n00:00:05,000 --> 00:00:06,000\nThree.\n"
    )
    found = read_subtitles(write(tmp_path, "a.srt", text))
    assert found.cues[1] == Cue(start_ms=3_000, end_ms=4_500, lines=("Two.",))
    assert [cue.lines for cue in found.cues] == [("One.",), ("Two.",), ("Three.",)]
    assert broken(found) == [(6, "times")]
    assert found.broken[0].text == times


@pytest.mark.parametrize("times", ["00:00:03,000 -->", "--> 00:00:04,500", "00:00:xx,000 --> 00:00:04,500"])
def test_times_that_nobody_can_read_are_told_and_no_text_of_another_cue(tmp_path, times):
    text = f"1\n00:00:01,000 --> 00:00:02,000\nOne.\n\n2\n{times}\nTwo.\n"
    found = read_subtitles(write(tmp_path, "a.srt", text))
    assert [cue.lines for cue in found.cues] == [("One.",)]
    assert broken(found) == [(6, "times")]


@pytest.mark.parametrize(
    "times", ["00:00:03,000 --> 00:00:04,500", "0:03.000 --> 0:04.500", "00:03.0 --> 00:04.5"]
)
def test_times_that_only_srt_has_are_told_in_webvtt(tmp_path, times):
    found = read_subtitles(write(tmp_path, "a.vtt", f"WEBVTT\n\n{times}\nTwo.\n"))
    assert found.cues == (Cue(start_ms=3_000, end_ms=4_500, lines=("Two.",)),)
    assert broken(found) == [(3, "times")]


def test_a_clock_in_a_text_is_text(tmp_path):
    lines = ("From 10:00:00 to 11:00:00", "10:00:00 - 11:00:00", "x -> y, 3 > 2", "00:00:01 > he said")
    found = read_subtitles(write(tmp_path, "a.srt", to_srt([Cue(start_ms=0, end_ms=900, lines=lines)])))
    assert (found.cues[0].lines, found.broken) == (lines, ())


def test_a_text_beside_the_times_is_the_cues(tmp_path):
    found = read_subtitles(write(tmp_path, "a.srt", "1\n00:00:01,000 --> 00:00:02,000 Hello.\nYou.\n"))
    assert (found.cues[0].lines, broken(found)) == (("Hello.", "You."), [(2, "times")])


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("bad", [b"\xff", b"\xe0\xa4", b"\x80\x81", b"\xed\xa0\x80"])
def test_a_bad_byte_costs_one_character_and_not_the_encoding(tmp_path, mark, bad):
    cues = [Cue(start_ms=place * 2_000, end_ms=place * 2_000 + 900, lines=(HINDI,)) for place in range(3)]
    data = to_srt(cues).encode().split(b"\n")
    data[6] += bad
    found = read_subtitles(write(tmp_path, "a.hi.srt", mark + b"\n".join(data)))
    assert found.encoding == ("utf-8-sig" if mark else "utf-8")
    assert found.cues[0] == cues[0]
    assert found.cues[1].lines[0].rstrip("\ufffd") == HINDI
    assert found.cues[2] == cues[2]
    assert broken(found) == [(7, "lost_character")]


@pytest.mark.parametrize(("encoding", "language"), [case for case in SPOKEN if not case[0].startswith("utf")])
def test_a_bad_byte_changes_no_other_encoding_either(tmp_path, encoding, language):
    spoken = SPOKEN[encoding, language]
    cue = Cue(start_ms=1_000, end_ms=4_000, lines=(spoken,))
    data = to_srt([cue] * 3).encode(encoding)
    found = read_subtitles(write(tmp_path, "a.srt", data[:-2] + b"\x80\xff\n\n"), language=language)
    assert found.encoding == encoding
    assert found.cues[0] == cue


def test_zeros_at_the_end_and_half_a_character_in_utf16_are_no_reason_to_refuse(tmp_path):
    text = to_srt([Cue(start_ms=1_000, end_ms=4_000, lines=(HINDI,))])
    assert read_cues(write(tmp_path, "a.srt", text.encode() + b"\0" * 4_096))[0].lines == (HINDI,)
    assert read_cues(write(tmp_path, "b.srt", text.encode("utf-16") + b"\0"))[0].lines[0] == HINDI


@pytest.mark.parametrize("end", ["\n\n", "\n", ""])
def test_two_files_that_were_joined_are_one(tmp_path, end):
    first = Cue(start_ms=1_000, end_ms=2_000, lines=("One.",))
    second = Cue(start_ms=3_000, end_ms=4_000, lines=("Two.",))
    for name, wrap in (("a.srt", "1\n00:00:0{}\n{}"), ("a.vtt", "WEBVTT\n\n00:00:0{}\n{}")):
        point = "," if name == "a.srt" else "."
        parts = [
            wrap.format(f"{at}{point}000 --> 00:00:0{at + 1}{point}000", text)
            for at, text in ((1, "One."), (3, "Two."))
        ]
        found = read_subtitles(write(tmp_path, name, f"\ufeff{parts[0]}{end}\ufeff{parts[1]}\n"))
        assert (found.cues, found.broken) == ((first, second), ())


def test_two_files_of_two_encodings_are_each_read_in_their_own(tmp_path):
    russian = SPOKEN["cp1251", "ru"]
    cues = [Cue(start_ms=at, end_ms=at + 900, lines=(russian,)) for at in (0, 1_000)]
    data = to_srt(cues[:1]).encode("cp1251") + b"\xef\xbb\xbf" + to_srt(cues[1:]).encode()
    assert read_cues(write(tmp_path, "a.srt", data)) == tuple(cues)


def test_ass_tells_its_own_order_of_fields(tmp_path):
    text = (
        "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontsize\nStyle: A,big\n\n"
        "[events]\nformat: Start , End, Style, Text\n"
        "Dialogue: 0:00:03.04,0:00:05.00,A,{\\i1}One, two{\\i0},\\Nthree.\n"
        "Dialogue: 0:00:01.00,0:00:02.50,A,First.\nDialogue: x,0:00:02.50,A,Never.\n"
    )
    found = read_subtitles(write(tmp_path, "a.ass", text))
    assert found.cues == (
        Cue(start_ms=1_000, end_ms=2_500, lines=("First.",)),
        Cue(start_ms=3_040, end_ms=5_000, lines=("One, two,", "three.")),
    )
    assert broken(found) == [(12, "times")]
    with pytest.raises(InputError, match="does not name End"):
        read_cues(write(tmp_path, "b.ass", "[Events]\nFormat: Start, Text\nDialogue: 0:00:01.00,x\n"))


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("x < y and z > w", "x < y and z > w"),
        ("x <y and z> w", "x <y and z> w"),
        ("1<2 and 4>3", "1<2 and 4>3"),
        ("I <3 you", "I <3 you"),
        ('<font color="#ff0000" size=9>red</font> <I>and</i> <b >bold</b>', "red and bold"),
        ("<c.yellow>x</c> <v Mary Jo>hm</v> <narrator>go</narrator>", "x hm go"),
        ("<ruby>漢字<rp>(</rp><rt>かんじ</rt><rp>)</rp></ruby>です", "漢字です"),
        ("<ruby>漢<rt>かん<rt>カン</ruby>字", "漢字"),
    ],
)
def test_only_tags_are_markup_and_ruby_is_no_text(tmp_path, text, seen):
    timed = "00:00:01.000 --> 00:00:02.000\n" + text
    (cue,) = read_cues(write(tmp_path, "a.srt", f"1\n{timed}\n".replace(".000", ",000")))
    assert cue.lines == (seen,)
    found = read_subtitles(write(tmp_path, "a.vtt", f"WEBVTT\n\n{timed}\n"))
    assert found.cues[0].lines == (seen,)
    # A browser drops from an open bracket to the next that closes.
    assert broken(found) == ([(4, "markup")] if "<" in seen and ">" in seen else [])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "a.stl",
            "$FontName = Arial\n00:00:01:00 , 00:00:03:00 , Hello.\n00:00:04:00 , 00:00:05:00 , You.\n",
        ),
        ("a.edl", "00:00:01:00 00:00:03:00 V C\n"),
    ],
)
def test_a_format_that_counts_frames_is_not_read_as_another(tmp_path, name, text):
    with pytest.raises(InputError, match="is not a subtitle file"):
        read_cues(write(tmp_path, name, text))


def test_captions_in_codes_are_refused_by_their_name(tmp_path):
    text = "Scenarist_SCC V1.0\n\n00:00:01:00\t9420 9420 94ae 94ae\n\n00:00:03:00\t942c 942c\n"
    with pytest.raises(InputError, match="Scenarist SCC") as refused:
        read_cues(write(tmp_path, "a.scc", text))
    assert refused.value.remedy.startswith("Convert it first: ffmpeg -i ")
