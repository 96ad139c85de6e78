# ruff: noqa: RUF001 - the scripts are the subject.
from __future__ import annotations

import xml.etree.ElementTree as ET

import pysubs2
import pytest

from protocol.timeline import Cue
from tests.ten_scripts import MARKUP, TEN_SCRIPTS, cues_of
from workers.engines.common.formats.ttml import IMSC_TEXT, to_ttml

TT = "{http://www.w3.org/ns/ttml}"
TTP = "{http://www.w3.org/ns/ttml#parameter}"
TTS = "{http://www.w3.org/ns/ttml#styling}"
XML = "{http://www.w3.org/XML/1998/namespace}"


def parse(text: str) -> ET.Element:
    return ET.fromstring(text.encode())


def paragraphs(text: str) -> list[ET.Element]:
    return list(parse(text).iter(f"{TT}p"))


@pytest.mark.parametrize("language", TEN_SCRIPTS)
def test_pysubs2_reads_back_every_script_with_its_times(language):
    cues = cues_of(language)
    file = pysubs2.SSAFile.from_string(to_ttml(cues, language))
    assert [(event.start, event.end, tuple(event.text.split(r"\N"))) for event in file] == [
        (cue.start_ms, cue.end_ms, cue.lines) for cue in cues
    ]


def test_it_says_what_it_is_as_imsc_asks():
    root = parse(to_ttml(cues_of("hi"), "hi"))
    assert root.tag == f"{TT}tt"
    assert root.attrib == {f"{XML}lang": "hi", f"{TTP}timeBase": "media", f"{TTP}contentProfiles": IMSC_TEXT}
    (region,) = root.iter(f"{TT}region")
    assert region.attrib[f"{TTS}displayAlign"] == "after"
    assert root.find(f"{TT}body").attrib["region"] == region.attrib[f"{XML}id"]
    assert to_ttml((), "hi").startswith('<?xml version="1.0" encoding="UTF-8"?>\n<tt ')


def test_every_style_that_is_named_is_there():
    root = parse(to_ttml((*cues_of("ur"), Cue(start_ms=0, end_ms=900, lines=("Hello", "سلام"))), "en"))
    styles = {style.attrib[f"{XML}id"] for style in root.iter(f"{TT}style")}
    assert {node.attrib["style"] for node in root.iter() if "style" in node.attrib} == styles


def test_times_have_three_digits_and_lines_have_a_break():
    (shown,) = paragraphs(to_ttml([Cue(start_ms=3_600_001, end_ms=3_662_050, lines=("one", "two", "three"))]))
    assert (shown.attrib["begin"], shown.attrib["end"]) == ("01:00:00.001", "01:01:02.050")
    assert "|".join(shown.itertext()) == "one|two|three"
    assert [child.tag for child in shown] == [f"{TT}br"] * 2


def test_what_is_said_is_no_markup():
    (shown,) = paragraphs(to_ttml([Cue(start_ms=0, end_ms=900, lines=MARKUP)]))
    assert tuple(shown.itertext()) == MARKUP


def test_characters_that_xml_has_no_place_for_are_spaces():
    (shown,) = paragraphs(to_ttml([Cue(start_ms=0, end_ms=900, lines=("a\x00b\x0bc\ud800d\ufffee", "\x01"))]))
    assert shown.text == "a b c d e"
    assert len(shown) == 0


def test_urdu_runs_from_right_to_left_and_latin_beside_it_does_not():
    both, urdu, english = paragraphs(
        to_ttml(
            [
                Cue(start_ms=0, end_ms=900, lines=("OK!", "YouTube پر!")),
                Cue(start_ms=1_000, end_ms=1_900, lines=("یہ", "کام۔")),
                Cue(start_ms=2_000, end_ms=2_900, lines=("fine",)),
            ],
            "ur",
        )
    )
    assert urdu.attrib["style"] == "rtl"
    assert "style" not in english.attrib
    assert "style" not in both.attrib
    (span,) = both.iter(f"{TT}span")
    assert (span.attrib["style"], span.text) == ("rtl", "YouTube پر!")
    rtl = next(style for style in parse(to_ttml(())).iter(f"{TT}style") if style.attrib[f"{XML}id"] == "rtl")
    assert rtl.attrib[f"{TTS}direction"] == "rtl"


def test_no_space_is_put_into_a_text():
    text = to_ttml([Cue(start_ms=0, end_ms=900, lines=("سلام", "Hello", "سلام"))], "en")
    assert "".join(paragraphs(text)[0].itertext()) == "سلامHelloسلام"


def test_no_cue_is_a_valid_file_without_cues():
    assert paragraphs(to_ttml(())) == []
    assert len(pysubs2.SSAFile.from_string(to_ttml(()), format_="ttml")) == 0
