# ruff: noqa: RUF001 - the scripts are the subject.
"""What whisperx's alignment gives becomes words with scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from protocol.timeline import Segment
from workers.engines.whisperx.wav2vec2 import Letters, aligned_words

NOTHING = Letters(probabilities=np.zeros((0, 3)), frames_per_s=50.0, numbers={})


def heard(*frames: tuple[float, float, float]) -> Letters:
    """Return ten frames a second of the blank, `a` and `b`."""
    return Letters(probabilities=np.array(frames), frames_per_s=10.0, numbers={"a": 1, "b": 2})


def test_a_word_scores_by_its_letters_where_each_is_most_probable_and_not_by_the_pauses() -> None:
    letters = heard((1, 0, 0), (0.1, 0.9, 0), (1, 0, 0), (0.3, 0, 0.7), (1, 0, 0))
    assert letters.score("Ab", 0.1, 0.5) == pytest.approx(0.8)
    assert letters.score("b", 0.1, 0.3) == 0
    assert letters.score("a-b!", 0.0, 0.5) == pytest.approx(0.8)


def test_a_word_of_letters_that_the_model_lacks_or_behind_the_end_has_no_score() -> None:
    letters = heard((0, 1, 0))
    assert letters.score("1984", 0.0, 0.1) is None
    assert letters.score("a", 3.0, 3.1) is None
    assert letters.score("a", 0.0, 0.0) == 1.0


def found(*texts: str) -> list[dict[str, Any]]:
    return [{"word": text, "start": at * 0.5, "end": at * 0.5 + 0.2} for at, text in enumerate(texts)]


def test_letters_of_a_language_without_spaces_become_words_with_their_punctuation() -> None:
    segment = Segment(start_ms=1_000, end_ms=9_000, text="你好。用 AI 吧")
    words = aligned_words(found("你", "好", "。", "用", "A", "I", "吧"), segment, "zh", NOTHING)
    assert [word.text for word in words] == ["你", "好。", "用", "AI", "吧"]
    assert [(words[1].start_ms, words[1].end_ms), (words[3].start_ms, words[3].end_ms)] == [
        (1_500, 1_700),
        (3_000, 3_700),
    ]


def test_punctuation_that_stands_alone_goes_to_its_word_and_untimed_words_follow_the_one_before() -> None:
    segment = Segment(start_ms=1_000, end_ms=9_000, text="And – so 7")
    told = [*found("And", "–", "so"), {"word": "7"}]
    words = aligned_words(told, segment, "en", NOTHING)
    assert [word.text for word in words] == ["And –", "so", "7"]
    assert (words[2].start_ms, words[2].end_ms, words[2].probability) == (2_200, 2_200, None)


def test_a_word_that_is_not_in_the_text_is_a_failure() -> None:
    with pytest.raises(ValueError, match="substring"):
        aligned_words(found("so"), Segment(start_ms=0, end_ms=1, text="And"), "en", NOTHING)
