"""What the engine decides without a model: the prompt, the stretches of speech, the segment."""

from __future__ import annotations

import pytest

from protocol.timeline import Span
from workers.engines.mlx.asr import describe, stretches_of
from workers.engines.mlx.models import batch_size_of
from workers.engines.mlx.recognising import prompt_of
from workers.speech.judging import Guess
from workers.speech.spans import Chunk
from workers.speech.whisper import Heard, RecognitionOptions
from workers.speech.word_times import TimedWord

WHOLE = Span(start_ms=0, end_ms=5_000)
HEARD = Heard(
    chunk=Chunk(spans=(WHOLE,), heard=WHOLE), guess=Guess(text="a b", avg_logprob=-0.123456, no_speech=0.0)
)


@pytest.mark.parametrize(
    ("initial_prompt", "hotwords", "expected"),
    [
        ("A talk.", ("ComfyUI", "LoRA"), "A talk. ComfyUI, LoRA"),
        (None, ("ComfyUI",), "ComfyUI"),
        (" ", (), None),
        (None, (), None),
    ],
)
def test_hot_words_go_into_the_prompt(
    initial_prompt: str | None, hotwords: tuple[str, ...], expected: str | None
) -> None:
    options = RecognitionOptions(language="en", initial_prompt=initial_prompt, hotwords=hotwords)
    assert prompt_of(options) == expected


def test_words_with_hardly_a_pause_between_them_are_one_stretch() -> None:
    words = [
        TimedWord(text="a", start_ms=100, end_ms=300),
        TimedWord(text="b", start_ms=700, end_ms=900),
        TimedWord(text="c", start_ms=1_500, end_ms=1_600),
    ]
    assert stretches_of(words) == [Span(start_ms=100, end_ms=900), Span(start_ms=1_500, end_ms=1_600)]


@pytest.mark.parametrize(("has_vad", "start_ms", "end_ms"), [(True, 0, 5_000), (False, 300, 900)])
def test_a_segment_is_as_long_as_the_speech_or_without_vad_as_its_words(
    has_vad: bool, start_ms: int, end_ms: int
) -> None:
    words = [TimedWord(text="a", start_ms=300, end_ms=500), TimedWord(text="b", start_ms=500, end_ms=900)]
    made, stretches = describe(HEARD, words, has_vad=has_vad)
    assert (made.start_ms, made.end_ms, made.avg_logprob) == (start_ms, end_ms, -0.1235)
    assert list(stretches) == [Span(start_ms=start_ms, end_ms=end_ms)]
    assert [(word.text, word.timed_by) for word in made.words] == [
        ("a", "cross-attention"),
        ("b", "cross-attention"),
    ]


def test_a_chunk_without_words_keeps_its_times_and_has_no_speech_where_no_vad_has_listened() -> None:
    made, stretches = describe(HEARD, [], has_vad=False)
    assert (made.start_ms, made.end_ms, list(stretches)) == (0, 5_000, [])


def test_a_batch_that_is_asked_for_is_given() -> None:
    assert batch_size_of(9) == 9
    assert batch_size_of(0) > 1
