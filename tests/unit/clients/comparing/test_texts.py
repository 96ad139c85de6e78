"""Two jobs' texts in one language."""

from __future__ import annotations

from clients.comparing.texts import compare_texts, pair_texts
from protocol.subtitles.comparing import TextScores
from protocol.timeline import Segment, Transcript


def text(*lines: str, language: str = "pt", each_ms: int = 1_000, **fields: str) -> Transcript:
    segments = tuple(
        Segment(start_ms=place * each_ms, end_ms=(place + 1) * each_ms - 50, text=line)
        for place, line in enumerate(lines)
    )
    return Transcript(language=language, segments=segments, **({"translated_from": "en"} | fields))


def test_two_segments_stand_against_the_one_that_the_other_has() -> None:
    paired = pair_texts(text("Olá a todos.", each_ms=2_000), text("Olá", "a todos."))
    assert (paired.texts.a, paired.texts.b) == (("Olá a todos.",), ("Olá a todos.",))
    joined = pair_texts(text("你好大家", language="zh", each_ms=2_000), text("你好", "大家", language="zh"))
    assert joined.texts.b == ("你好大家",)


def test_what_one_has_alone_stands_against_nothing() -> None:
    paired = pair_texts(text("Um", "dois"), text("Um"))
    assert (paired.starts_ms, paired.texts.a, paired.texts.b) == ((0, 1_000), ("Um", "dois"), ("Um", ""))


def test_the_most_different_line_is_first_and_equal_ones_are_left_out() -> None:
    a, b = text("um", "dois", "tres", "quatro"), text("um", "duas", "xyz", "quatre")
    paired = pair_texts(a, b)
    scores = TextScores(chrf=50.0, lines=(100.0, 40.0, 0.0, 70.0))
    found = compare_texts(a, b, paired, scores)
    assert [(line.start_ms, line.a, line.chrf) for line in found.different] == [
        (2_000, "tres", 0.0),
        (1_000, "dois", 40.0),
        (3_000, "quatro", 70.0),
    ]
    assert (found.lines, found.chrf) == (4, 50.0)


def test_without_a_measure_the_lines_come_in_the_films_order() -> None:
    a, b = text("um", "dois", "tres"), text("um", "duas", "três")
    found = compare_texts(a, b, pair_texts(a, b), None)
    assert found.chrf is None
    assert [(line.b, line.chrf) for line in found.different] == [("duas", None), ("três", None)]


def test_engines_and_doubts_of_each_side_are_counted() -> None:
    segments = (
        Segment(start_ms=0, end_ms=1, text="a", engine="nllb", marks=("length", "numbers")),
        Segment(start_ms=2, end_ms=3, text="b", marks=("numbers",)),
        Segment(start_ms=4, end_ms=5, text="c", marks=("heard-again",)),
    )
    made = compare_texts(
        Transcript(language="pt", segments=segments, engine="bergamot", model="m", translated_from="en"),
        text(),
        None,
        None,
    ).a
    assert dict(made.engines) == {"bergamot": 2, "nllb": 1}
    assert list(made.marks.items()) == [("length", 1), ("numbers", 2), ("heard-again", 1)]
    assert (made.model, made.translated_from) == ("m", "en")
