"""Words put where the speech is."""

from __future__ import annotations

import itertools
import random

from protocol.timeline import Span
from workers.speech.word_times import TimedWord, correct_word_times, spread_words


def word(text: str, start: int, end: int) -> TimedWord:
    return TimedWord(text=text, start_ms=start, end_ms=end)


def spans(*pairs: tuple[int, int]) -> list[Span]:
    return [Span(start_ms=start, end_ms=end) for start, end in pairs]


def times(words: list[TimedWord]) -> list[tuple[str, int, int]]:
    return [(timed_word.text, timed_word.start_ms, timed_word.end_ms) for timed_word in words]


def test_a_sentence_that_starts_in_the_pause_starts_with_the_speech() -> None:
    said = [word("man.", 32_900, 33_420), word("Unless", 33_980, 36_320), word("to", 36_320, 36_560)]
    found = correct_word_times(said, spans((30_860, 33_540), (36_080, 36_600)))
    assert times(found) == [("man.", 32_900, 33_540), ("Unless", 36_080, 36_320), ("to", 36_320, 36_600)]


def test_a_first_word_wholly_in_the_pause_goes_behind_it() -> None:
    found = correct_word_times(
        [word("left.", 900, 1_000), word("He", 1_100, 1_400)], spans((0, 1_000), (2_000, 3_000))
    )
    assert found[1].start_ms == 2_000
    assert found[1].end_ms > 2_000


def test_a_last_word_does_not_reach_into_the_silence() -> None:
    found = correct_word_times([word("country.", 500, 4_000)], spans((0, 1_000), (3_500, 5_000)))
    assert times(found) == [("country.", 500, 1_000)]


def test_a_word_over_a_pause_inside_a_sentence_stays_where_most_of_it_is() -> None:
    said = [word("not", 6_410, 6_990), word("what", 6_990, 8_310), word("your", 8_310, 8_530)]
    found = correct_word_times(said, spans((6_040, 7_370), (8_160, 8_600)))
    assert times(found)[1] == ("what", 6_990, 7_370)


def test_a_last_word_that_ends_early_lasts_until_the_speech_ends_but_not_for_a_second() -> None:
    assert correct_word_times([word("them.", 100, 500)], spans((0, 900)))[0].end_ms == 900
    assert correct_word_times([word("them.", 100, 500)], spans((0, 3_000)))[0].end_ms == 500


def test_what_vad_missed_by_far_is_left_alone() -> None:
    said = [word("Here.", 100, 400), word("Far", 9_000, 9_300), word("away.", 9_300, 9_700)]
    found = correct_word_times(said, spans((0, 500)))
    assert times(found) == [("Here.", 100, 500), ("Far", 9_000, 9_300), ("away.", 9_300, 9_700)]


def test_words_without_length_get_one() -> None:
    found = correct_word_times(
        [word("a", 100, 100), word("b", 100, 100), word("c", 100, 300)], spans((0, 400))
    )
    assert [timed_word.end_ms - timed_word.start_ms for timed_word in found][:2] == [60, 60]


def test_more_words_than_the_speech_has_room_for_share_it() -> None:
    found = correct_word_times([word(str(index), 0, 0) for index in range(20)], spans((0, 100)))
    assert found[-1].end_ms <= 100
    assert all(timed_word.end_ms > timed_word.start_ms for timed_word in found)


def test_without_speech_only_order_and_length_are_mended() -> None:
    assert times(correct_word_times([word("a", 500, 700), word("b", 600, 600)], [])) == [
        ("a", 500, 640),
        ("b", 640, 700),
    ]
    assert correct_word_times([], spans((0, 5))) == []


def test_whatever_the_attention_says_words_are_in_order_and_have_length() -> None:
    chance = random.Random(7)
    for _ in range(300):
        edges = sorted(chance.sample(range(0, 20_000, 50), 6))
        speech = spans(*zip(edges[::2], edges[1::2], strict=True))
        said = []
        for index in range(chance.randint(1, 25)):
            start = chance.randint(0, 20_000)
            text = chance.choice(["so", "end.", "what"]) + str(index)
            said.append(word(text, start, start + chance.choice([0, 80, 400, 5_000])))
        found = correct_word_times(said, speech)
        assert [timed_word.text for timed_word in found] == [timed_word.text for timed_word in said]
        assert all(timed_word.end_ms > timed_word.start_ms for timed_word in found)
        assert all(one.end_ms <= two.start_ms for one, two in itertools.pairwise(found))


def test_words_that_nothing_timed_share_the_speech_by_length_and_skip_the_pause() -> None:
    found = spread_words(["aaaa", "bbbb", "cccc", "dddd"], spans((0, 1_000), (5_000, 6_000)))
    assert times(found) == [
        ("aaaa", 0, 500),
        ("bbbb", 500, 1_000),
        ("cccc", 5_000, 5_500),
        ("dddd", 5_500, 6_000),
    ]
