"""Words that reach over a pause, and runs of tokens that come twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from workers.engines.mlx.pauses import MOMENT_MS, leave_pauses
from workers.engines.mlx.repeating import repeating
from workers.speech.word_times import TimedWord


def word(text: str, start_ms: int, end_ms: int) -> TimedWord:
    return TimedWord(text=text, start_ms=start_ms, end_ms=end_ms)


def sound(*loud: tuple[int, int], noise: float = 0.0) -> Callable[[int, int], Sequence[float]]:
    def loudness(start_ms: int, end_ms: int) -> list[float]:
        moments = range(start_ms, end_ms, MOMENT_MS)
        return [max(noise, 0.5 * any(low <= at < high for low, high in loud)) for at in moments]

    return loudness


def times(words: Sequence[TimedWord]) -> list[tuple[int, int]]:
    return [(spoken_word.start_ms, spoken_word.end_ms) for spoken_word in words]


SAID = [word("my", 1_000, 1_200), word("fellow", 1_200, 1_500), word("friends", 1_500, 1_700)]


def test_a_first_word_starts_where_its_sound_does() -> None:
    words = [word("And", 0, 800), *SAID]
    assert times(leave_pauses(words, sound((600, 2_000))))[0] == (600, 800)


def test_a_word_behind_a_pause_leaves_the_end_of_the_word_before() -> None:
    words = [*SAID, word("ask", 1_700, 3_000), word("not", 3_000, 3_200)]
    assert times(leave_pauses(words, sound((0, 1_760), (2_600, 3_200))))[3] == (2_600, 3_000)


def test_a_word_before_a_pause_ends_with_its_sound() -> None:
    words = [*SAID, word("you,", 1_700, 2_900)]
    assert times(leave_pauses(words, sound((0, 2_000))))[3] == (1_700, 2_000)


def test_a_closed_consonant_is_no_pause_and_a_short_word_is_left() -> None:
    words = [*SAID, word("apart", 1_700, 2_300)]
    assert leave_pauses(words, sound((0, 2_000), (2_100, 2_300))) == words
    assert leave_pauses(SAID, sound((1_150, 1_200), (1_450, 1_500))) == SAID


def test_in_noise_the_first_and_last_word_of_a_sentence_are_not_longer_than_two() -> None:
    words = [word("And", 0, 3_000), *SAID, word("go", 1_700, 2_500), word("home.", 2_500, 9_000)]
    left = times(leave_pauses(words, sound(noise=0.4)))
    assert left[0][1] == 3_000
    assert 400 <= 3_000 - left[0][0] <= 1_400
    assert left[4] == (1_700, 2_500)
    assert left[5][0] == 2_500
    assert left[5][1] < 4_000


def test_silence_and_no_words_are_left_as_they_are() -> None:
    assert leave_pauses([], sound()) == []
    assert leave_pauses(SAID, sound()) == SAID


@pytest.mark.parametrize(
    ("said", "forbidden"),
    [
        ([1, 2, 3, 4, 5, 1, 2, 3], {4}),
        ([1, 2, 3, 4, 1, 2, 3, 5, 1, 2, 3], {4, 5}),
        ([7, 7, 7, 7], {7}),
        ([1, 2, 3, 4, 5], set()),
        ([7, 7, 7], set()),
        ([], set()),
    ],
)
def test_a_run_of_tokens_is_not_said_twice(said: list[int], forbidden: set[int]) -> None:
    assert repeating(said, 4) == forbidden
