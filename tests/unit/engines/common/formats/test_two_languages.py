"""A track in several languages, in every format: each cue is written as its own language is."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import pysubs2
import pytest

from protocol.schema import from_plain
from protocol.timeline import Segment, Transcript, Word
from workers.engines.common.cues.profiles import rules_for
from workers.engines.common.cues.rules import CueRules
from workers.engines.common.formats.writing import WRITERS
from workers.engines.common.tracks import Track, cut_track, shift, with_words

ENGLISH = "He began a confused complaint against the wizard, who had vanished behind the curtain on the left."
JAPANESE = "私は図書館で本を読んでいましたが、彼は庭で犬と遊んでいました。"
ARABIC = "قال له Dashwood نعم."
EMBEDDED = "\u202b"


def by_language(language: str) -> CueRules:
    return rules_for("netflix", language, media_duration_ms=60_000)


def said(text: str, start_ms: int, language: str) -> Segment:
    pieces = list(text) if text == JAPANESE else text.split()
    step = 6_000 // len(pieces)
    words = tuple(
        Word(text=piece, start_ms=start_ms + at * step, end_ms=start_ms + (at + 1) * step)
        for at, piece in enumerate(pieces)
    )
    return Segment(start_ms=start_ms, end_ms=words[-1].end_ms, text=text, words=words, language=language)


def track(main: str) -> Track:
    """Return English, Japanese, Arabic and English in a film that is mostly in `main`."""
    lines = [(ENGLISH, "en"), (JAPANESE, "ja"), (ARABIC, "ar"), ("Dashwood قال yes.", "en")]
    segments = [
        said(text, 1_000 + place * 10_000, "" if language == main else language)
        for place, (text, language) in enumerate(lines)
    ]
    transcript = Transcript(language=main, segments=tuple(segments))
    return cut_track(transcript, by_language, profile="netflix", provenance={"title": "x"})


MAINS = pytest.mark.parametrize("main", ["en", "ja", "ar"])


@MAINS
def test_each_cue_has_the_language_of_its_stretch(main: str) -> None:
    found = track(main)
    assert len(found.languages) == len(found.cues)
    assert list(dict.fromkeys(found.languages)) == ["en", "ja", "ar"]
    assert found.languages[-1] == "en"


@MAINS
@pytest.mark.parametrize("form", sorted(set(WRITERS) - {"rttm"}))
def test_every_format_holds_all_that_is_said(main: str, form: str) -> None:
    text = track(main).write(form).decode("utf-8-sig")
    letters = "".join(text.replace("\\N", "").split())
    for word in ("wizard,", "curtain", "図書館", "Dashwood", "yes."):
        assert word in letters


@MAINS
def test_lines_are_joined_as_their_own_language_does(main: str) -> None:
    rows = [row.split("\t")[2] for row in track(main).write("tsv").decode().splitlines()[1:]]
    text = " ".join(rows)
    assert ENGLISH in text
    assert JAPANESE in "".join(row for row in rows if row[0] in "私彼が、図")


@MAINS
@pytest.mark.parametrize("form", ["srt", "vtt", "ass"])
def test_only_what_is_in_a_language_from_right_to_left_runs_so(main: str, form: str) -> None:
    lines = [line for line in track(main).write(form).decode("utf-8-sig").splitlines() if "Dashwood" in line]
    assert [EMBEDDED in line for line in lines] == [True, False]


@MAINS
def test_ttml_names_the_language_of_a_cue_in_another_one(main: str) -> None:
    found = track(main)
    root = ET.fromstring(found.write("ttml"))
    lang = "{http://www.w3.org/XML/1998/namespace}lang"
    assert root.get(lang) == main
    places = root.iter("{http://www.w3.org/ns/ttml}p")
    assert tuple(place.get(lang, main) for place in places) == found.languages
    events = pysubs2.SSAFile.from_string(found.write("ttml").decode())
    assert len(events) == len(found.cues)


@MAINS
def test_json_keeps_the_language_of_each_segment(main: str) -> None:
    read = from_plain(Transcript, json.loads(track(main).write("json")))
    assert [read.language_of(segment) for segment in read.segments] == ["en", "ja", "ar", "en"]


def test_words_and_a_clip_s_start_leave_the_language_as_it_is() -> None:
    transcript = track("en").transcript
    bare = replace(transcript, segments=tuple(replace(part, words=()) for part in transcript.segments))
    for made in (with_words(bare), shift(transcript, 5_000)):
        assert [segment.language for segment in made.segments] == ["", "ja", "ar", ""]


def test_a_transcript_of_before_is_in_one_language() -> None:
    stored = {"language": "en", "segments": [{"start_ms": 0, "end_ms": 900, "text": "Yes."}]}
    found = cut_track(from_plain(Transcript, stored), by_language, profile="netflix")
    assert (found.parts, found.languages) == ((), ("en",))
    assert b"xml:lang" in found.write("ttml")
    assert found.write("ttml").count(b"xml:lang") == 1
    assert "language" not in json.loads(found.write("json"))["segments"][0]
