"""How a comparison looks on a screen."""

from __future__ import annotations

import io

import pytest

from clients.comparing import shown
from clients.comparing.references import WorstLine, notes_of
from clients.comparing.texts import DifferentLine, Made, TextComparison
from clients.comparing.timing import Offsets, Timing, compare_times
from clients.screen.report import Report
from clients.screen.text import width, wrap
from clients.word_errors import Comparison
from protocol.subtitles.comparing import CueScores, TrackFile
from protocol.timeline import Cue

HINDI = "श्री मोदी की सऊदी अरब की यह दूसरी यात्रा है जिसमें दोनों देश आपसी सम्बंधों को बढ़ावा देने के लिए समझौते करेंगे"
CHINESE = "没有人听见他,连他的妻子也没有,因为他说话的声音太小了," * 4


def words(**fields: object) -> Comparison:
    plain = {
        "words_a": 8, "words_b": 8, "substituted": 1, "missing": 0, "added": 1, "error_rate": 0.25,
        "by_graphemes": False, "start_difference_ms": None, "differences": (),
    }  # fmt: skip
    return Comparison(**(plain | fields))  # type: ignore[arg-type]  # (fields by name)


@pytest.mark.parametrize("text", [HINDI, CHINESE, "one two " * 30, ""])
def test_lines_stay_within_a_screen_of_80_columns(text: str) -> None:
    lines = shown.worst_lines([WorstLine(start_ms=3_000, reference=text, text=text, chrf=41.25)], 80)
    assert max(width(line) for line in lines) <= 80
    head = "  00:00:03.000   41.2  R"
    assert lines[0].startswith(head)
    joined = "".join("".join(line[len(head) :].split()) for line in lines)
    assert joined == "".join((text + text).split())


def test_a_pipe_gets_a_text_in_one_line() -> None:
    (a, b) = shown.different_lines([DifferentLine(start_ms=3_000, a=HINDI, b="नहीं")], None)
    assert (a, b) == (f"  00:00:03.000  A  {HINDI}", f"  {'B':>15}  नहीं")


def test_a_word_that_is_too_long_is_cut_between_letters() -> None:
    assert wrap("ab कककक", 3) == ["ab", "ककक", "क"]
    assert wrap("कककक ab", 3) == ["ककक", "क", "ab"]
    # A vowel sign stays with its letter.
    assert all(not line.startswith("ि") for line in wrap("किकिकिकि", 3))


def test_a_translation_says_what_made_it_and_what_is_doubted() -> None:
    a = Made(translated_from="en", engines={"bergamot": 7}, model="bergamot-en-pt", marks={"numbers": 2})
    b = Made(translated_from="en", engines={"nllb": 5, "bergamot": 2}, model="nllb-600m", marks={})
    table = shown.made_table(TextComparison(a=a, b=b))
    assert table is not None
    assert table.rows == (
        ("made by", "bergamot", "nllb 5, bergamot 2"),
        ("model", "bergamot-en-pt", "nllb-600m"),
        ("from", "English", "English"),
        ("with other numbers", "2", "0"),
    )
    assert shown.text_sentence(TextComparison(a=a, b=b, lines=7, chrf=63.127)) == (
        "chrF of B against A: 63.1 (100 is the same text); 0 of 7 lines differ"
    )


def test_what_was_heard_without_a_doubt_has_no_table() -> None:
    heard = Made(translated_from="", engines={"whisperx": 7}, model="whisper-base", marks={})
    assert shown.made_table(TextComparison(a=heard, b=heard)) is None


def test_the_figures_fit_a_screen() -> None:
    some = [Cue(start_ms=0, end_ms=1_000, lines=("One line",))]
    figures = shown.FileFigures(
        words=words(), graphemes=words(by_graphemes=True), timing=compare_times(some, some, "en"),
        scores=CueScores(chrf=78.25, suber=12.345),
    )  # fmt: skip
    out = io.StringIO()
    report = Report(out, io.StringIO())
    report.table(shown.figures_table(figures))
    report.table(shown.times_table(figures.timing))
    text = out.getvalue()
    assert "word error rate            0.250 (1 different, 0 missing, 1 added)" in text
    assert "SubER                      12.3 (0 is the same file)" in text
    assert max(map(len, text.split("\n"))) <= 80


def test_a_language_without_spaces_has_no_word_error_rate() -> None:
    nothing = compare_times([], [], "zh")
    figures = shown.FileFigures(
        words=words(by_graphemes=True), graphemes=words(by_graphemes=True), timing=nothing, scores=None
    )
    names = [row[0] for row in shown.figures_table(figures).rows]
    assert names == ["grapheme error rate (CER)", "cues missing", "cues added"]


def late(median_ms: int, spread_ms: int) -> Timing:
    offsets = Offsets(found=9, median_ms=median_ms, within_90_ms=0, near=0.0, spread_90_ms=spread_ms)
    return Timing(reference_cues=9, cues=9, starts=offsets, ends=offsets, missing=0, added=0)


def track(language: str, text_language: str = "") -> TrackFile:
    cues = (Cue(start_ms=0, end_ms=1, lines=("a",)),)
    return TrackFile(
        file=f"/f.{language}.srt", format="srt", language=language, text_language=text_language, cues=cues
    )


def test_a_file_that_is_late_as_a_whole_is_told_and_scattered_times_are_not() -> None:
    (told,) = notes_of(track("en"), track("en"), late(-4_000, 20), words())
    assert "4.0 s earlier than its reference" in told
    assert notes_of(track("en"), track("en"), late(1_254, 2_000), words()) == ()


def test_another_language_is_told_by_name_and_by_text() -> None:
    (named,) = notes_of(track("hi"), track("en"), late(0, 0), words())
    assert "/f.en.srt is in English, its reference in Hindi" in named
    (read,) = notes_of(track("hi", "hi"), track("hi", "ur"), late(0, 0), words())
    assert "by its text /f.hi.srt is in Urdu, not in Hindi" in read
    # Hindi in Latin letters looks like anything.
    assert notes_of(track("hi-Latn", "id"), track("hi-Latn", "en"), late(0, 0), words()) == ()


def test_a_file_without_cues_is_told() -> None:
    empty = TrackFile(file="/none.srt", format="srt")
    notes = notes_of(empty, track("en"), late(0, 0), words(words_a=0, error_rate=None))
    assert notes == ("/none.srt has no cues", "the reference has no words: there is no error rate")


@pytest.mark.parametrize(
    "line", ["[door slams] Who is there?", "\uff08门关上\uff09谁", "【音楽】", "(Gabbar) Arre o"]
)
def test_words_that_nobody_speaks_are_told_where_one_side_has_them(line: str) -> None:
    cue = Cue(start_ms=0, end_ms=1, lines=(line,))
    annotated = TrackFile(file="/r.en.srt", format="srt", language="en", cues=(cue,))
    (told,) = notes_of(annotated, track("en"), late(0, 0), words())
    assert told.startswith("0 cues of the file and 1 of its reference have words in brackets")
    assert notes_of(annotated, annotated, late(0, 0), words()) == ()


def test_what_the_steps_say_of_their_work_is_shown_where_one_does() -> None:
    silent = Made(translated_from="en", engines={"llm": 7}, model="m", marks={})
    telling = Made(translated_from="en", engines={"llm": 7}, model="m", marks={}, note="3 calls, 900 tokens")
    assert shown.note_lines(TextComparison(a=silent, b=silent), 80) == []
    assert shown.note_lines(TextComparison(a=silent, b=telling), 80) == [
        "  A  -",
        "  B  3 calls, 900 tokens",
    ]
