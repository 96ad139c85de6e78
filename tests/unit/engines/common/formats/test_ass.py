from __future__ import annotations

import pysubs2
import pytest
import regex

from protocol.errors import UsageError
from protocol.timeline import Cue, Word
from tests.ten_scripts import MARKUP, TEN_SCRIPTS, cues_of, words_of
from workers.engines.common.formats.ass import FONTS, fonts_of, to_ass
from workers.engines.common.formats.lines import script_of


def read(text: str) -> pysubs2.SSAFile:
    return pysubs2.SSAFile.from_string(text, format_="ass")


def lines_of(event: pysubs2.SSAEvent) -> tuple[str, ...]:
    """The event's text as libass shows it, without what is invisible."""
    text = regex.sub(r"(?<!\\)\{[^}]*\}", "", event.text.replace(r"\{{}", "\ue000"))
    lines = regex.sub("[\u202b\u202c]", "", text).split(r"\N")
    return tuple(line.replace("\u2060", "").replace("\ue000", "{") for line in lines)


def karaoke_ms(event: pysubs2.SSAEvent) -> list[int]:
    return [int(duration) * 10 for duration in regex.findall(r"\\k(\d+)", event.text)]


@pytest.mark.parametrize("karaoke", [False, True])
@pytest.mark.parametrize("language", TEN_SCRIPTS)
def test_pysubs2_reads_back_every_script_with_its_times(language, karaoke):
    cues = cues_of(language)
    file = read(to_ass(cues, language, words=words_of(language), karaoke=karaoke))
    assert [lines_of(event) for event in file] == [cue.lines for cue in cues]
    for event, cue in zip(file, cues, strict=True):
        assert abs(event.start - cue.start_ms) <= 5
        assert abs(event.end - cue.end_ms) <= 5
    default = file.styles["Default"]
    assert default.fontname == FONTS[script_of(TEN_SCRIPTS[language][0])][0]
    assert default.alignment == pysubs2.Alignment.BOTTOM_CENTER
    assert default.encoding == (-1 if language == "ur" else 1)


def test_what_is_said_is_no_markup():
    (event,) = read(to_ass([Cue(start_ms=0, end_ms=2_000, lines=MARKUP)]))
    assert lines_of(event) == MARKUP
    # A reader that knows no escape of braces hides nothing but the opening one.
    assert regex.sub("\u2060", "", event.plaintext).count("b1}<i>Tom") == 1
    assert event.plaintext.count("\n") == 1


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\x85", "\u2028", "\x0b", "\x00"])
def test_a_line_end_in_a_text_starts_no_line_of_the_file(ending):
    text = to_ass([Cue(start_ms=0, end_ms=900, lines=(f"one{ending}Dialogue: 0,x",))])
    (event,) = read(text)
    assert event.text.split() == ["one", "Dialogue:", "0,x"]
    assert len(text.splitlines()) == text.count("\n")


def test_the_file_has_the_size_of_the_picture_and_letters_that_fit_it():
    wide = read(to_ass(cues_of("en"), "en", picture=(1280, 720)))
    assert (wide.info["PlayResX"], wide.info["PlayResY"]) == ("1280", "720")
    assert wide.styles["Default"].fontsize == 40
    tall = read(to_ass(cues_of("en"), "en", picture=(720, 1280)))
    assert tall.styles["Default"].fontsize == 30
    none = read(to_ass(cues_of("en"), "en", picture=(0, 0)))
    assert (none.info["PlayResX"], none.info["PlayResY"]) == ("1920", "1080")


def test_a_font_that_is_named_for_a_script_is_its_font():
    file = read(to_ass(cues_of("hi"), "hi", fonts={"DEVANAGARI": "Mangal", "LATIN": "Arial"}))
    assert file.styles["Default"].fontname == "Mangal"
    assert read(to_ass(cues_of("hi"), "hi")).styles["Default"].fontname == "Noto Sans Devanagari"


def test_an_installed_font_is_the_first():
    assert fonts_of("DEVANAGARI", {"Mangal"})[:2] == ("Mangal", "Noto Sans Devanagari")
    assert fonts_of("KLINGON") == FONTS["LATIN"]


def test_no_font_has_a_comma_which_would_end_its_field():
    assert not [name for names in FONTS.values() for name in names if "," in name]


def test_two_scripts_have_a_style_each_and_each_line_its_own():
    cues = [
        Cue(start_ms=0, end_ms=2_000, lines=("नमस्ते", "Hello")),
        Cue(start_ms=3_000, end_ms=4_000, lines=("हाँ",)),
    ]
    file = read(to_ass(cues, "hi"))
    assert {name: style.fontname for name, style in file.styles.items()} == {
        "Default": "Noto Sans Devanagari",
        "Latin": "Arial",
    }
    assert file[0].text == r"नमस्ते\N{\rLatin}Hello"


def test_a_line_from_right_to_left_is_embedded_and_another_is_not():
    (event,) = read(to_ass([Cue(start_ms=0, end_ms=2_000, lines=("YouTube پر!", "OK!"))], "ur"))
    assert event.text == "\u202bYouTube پر!\u202c\\NOK!"


def test_each_word_is_lit_when_it_is_said():
    words = [
        Word(text="No,", start_ms=1_250, end_ms=1_400),
        Word(text="not", start_ms=1_500, end_ms=1_600),
        Word(text="{me}.", start_ms=2_000, end_ms=2_300),
    ]
    (event,) = read(
        to_ass([Cue(start_ms=1_000, end_ms=2_800, lines=("No, not", "{me}."))], words=words, karaoke=True)
    )
    assert event.text == r"{\k25\k25}No, {\k50}not\N{\k80}\{{}me}."


@pytest.mark.parametrize("language", TEN_SCRIPTS)
def test_the_marks_of_a_cue_add_up_to_its_time(language):
    cues = cues_of(language)
    first, second = read(to_ass(cues, language, words=words_of(language), karaoke=True))
    assert sum(karaoke_ms(first)) == first.end - first.start
    assert len(karaoke_ms(first)) == len(words_of(language)) + 1
    assert karaoke_ms(first)[0] == 200
    assert karaoke_ms(second) == []


def test_a_cue_that_is_not_of_the_words_is_written_without_marks():
    cues = [Cue(start_ms=1_000, end_ms=2_000, lines=("Guten Tag",))]
    assert "\\k" not in to_ass(cues, words=words_of("en"), karaoke=True)
    assert "\\k" not in to_ass(cues_of("en"), words=words_of("en"))
    assert "\\k" not in to_ass(cues_of("en"), karaoke=True)


def test_no_cue_is_a_valid_file_without_events():
    file = read(to_ass(()))
    assert len(file) == 0
    assert set(file.styles) == {"Default"}


def test_a_time_that_the_format_cannot_write_is_refused():
    late = Cue(start_ms=35_999_000, end_ms=36_000_000, lines=("end",))
    with pytest.raises(UsageError, match=r"10:00:00\.000"):
        to_ass([late])
    (event,) = read(to_ass([Cue(start_ms=35_999_000, end_ms=35_999_990, lines=("end",))]))
    assert event.end == 35_999_990
