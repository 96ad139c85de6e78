"""Which of wav2vec2's times are believed, sentence by sentence."""

from __future__ import annotations

from protocol.timeline import Segment
from workers.engines.whisperx.trust import take_apart
from workers.speech.word_times import TimedWord

LEAST = 0.25


def words(*scored: tuple[str, float | None], step_ms: int = 500) -> list[TimedWord]:
    return [
        TimedWord(text=text, start_ms=1_000 + at * step_ms, end_ms=1_300 + at * step_ms, probability=score)
        for at, (text, score) in enumerate(scored)
    ]


def chunk(timed: list[TimedWord]) -> Segment:
    text = " ".join(word.text for word in timed)
    return Segment(start_ms=500, end_ms=9_000, text=text, avg_logprob=-0.3)


def test_a_chunk_that_is_heard_stays_whole() -> None:
    timed = words(("Good", 0.9), ("day.", 0.8), ("Sit", 0.7), ("down.", 0.9))
    (piece,) = take_apart(chunk(timed), timed, "en", LEAST)
    assert piece.segment == chunk(timed)
    assert piece.words == tuple(timed)


def test_one_weak_word_does_not_spoil_its_sentence() -> None:
    timed = words(("Good", 0.9), ("day.", 0.01))
    (piece,) = take_apart(chunk(timed), timed, "en", LEAST)
    assert piece.words == tuple(timed)


def test_a_sentence_that_scores_low_is_left_out_between_its_neighbours() -> None:
    timed = words(("Good.", 0.9), ("No", 0.1), ("one.", 0.2), ("Said", 0.8), ("so.", 0.9))
    first, second, third = take_apart(chunk(timed), timed, "en", LEAST)
    assert [sentence.segment.text for sentence in (first, second, third)] == ["Good.", "No one.", "Said so."]
    assert (first.words, second.words, third.words) == (tuple(timed[:1]), (), tuple(timed[3:]))
    assert (first.segment.start_ms, first.segment.end_ms) == (500, 1_300)
    assert (second.segment.start_ms, second.segment.end_ms) == (1_300, 2_500)
    assert (third.segment.start_ms, third.segment.end_ms) == (2_500, 9_000)
    assert second.segment.avg_logprob == -0.3


def test_a_sentence_with_too_few_words_timed_is_left_out_however_well_they_score() -> None:
    timed = words(("In", 0.9), ("1984", None), ("1985.", None), ("Then.", 0.9))
    first, second = take_apart(chunk(timed), timed, "en", LEAST)
    assert (first.words, second.words) == ((), tuple(timed[3:]))


def test_a_sentence_without_room_takes_its_neighbours_with_it() -> None:
    timed = words(("Good.", 0.9), ("No", 0.1), ("one.", 0.2), ("Said.", 0.8), step_ms=100)
    (piece,) = take_apart(chunk(timed), timed, "en", LEAST)
    assert (piece.segment, piece.words) == (chunk(timed), ())


def test_nothing_timed_is_one_piece_for_another_method() -> None:
    segment = Segment(start_ms=0, end_ms=900, text="So.")
    (piece,) = take_apart(segment, [], "en", LEAST)
    assert (piece.segment, piece.words) == (segment, ())


def test_text_without_spaces_keeps_its_form() -> None:
    timed = words(("是", 0.9), ("的。", 0.9), ("好", 0.0), ("的。", 0.1))
    segment = Segment(start_ms=0, end_ms=9_000, text="是的。好的。")
    pieces = take_apart(segment, timed, "zh", LEAST)
    assert [piece.segment.text for piece in pieces] == ["是的。", "好的。"]
