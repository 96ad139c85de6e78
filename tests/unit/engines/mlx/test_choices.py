"""What the engine decides without a model: language, prompt, stretches of speech."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from protocol.artefacts import Artefact
from protocol.stages.asr import AsrRequest
from protocol.timeline import UNDETERMINED, Span
from workers.engines.mlx.asr import language_of, segment_of, stretches
from workers.engines.mlx.models import batch_of
from workers.engines.mlx.recognising import Heard, Wishes
from workers.speech.judging import Guess
from workers.speech.spans import Chunk
from workers.speech.word_times import TimedWord

REQUEST = AsrRequest(audio=Artefact(path="x", size=0, sha256=""))


def chunk(start_ms: int, end_ms: int) -> Chunk:
    span = Span(start_ms=start_ms, end_ms=end_ms)
    return Chunk(spans=(span,), heard=span)


def nothing() -> None: ...


class Windows:
    """A listener whose model hears a language in each window."""

    def __init__(self, *heard: dict[str, float], multilingual: bool = True) -> None:
        self.model: Any = SimpleNamespace(is_multilingual=multilingual)
        self.heard = list(heard)
        self.asked: list[Chunk] = []

    def languages(self, chunks: list[Chunk], progress: Callable[[], None]) -> list[dict[str, float]]:
        self.asked = chunks
        return self.heard


def test_windows_over_the_whole_film_vote_on_its_language() -> None:
    listener = Windows({"en": 0.9}, {"hi": 0.8}, {"hi": 0.9}, {"hi": 0.7, "ur": 0.3}, {"en": 0.6, "hi": 0.4})
    chunks = [chunk(at * 30_000, at * 30_000 + 20_000) for at in range(40)]
    assert language_of(REQUEST, listener, chunks, nothing) == ("hi", 0.56)
    starts = [window.start_ms for window in listener.asked]
    assert len(starts) == 5
    assert starts[0] < 240_000 <= starts[1] < 480_000 <= starts[2]
    assert starts[4] >= 960_000


def test_without_speech_there_is_no_language_and_an_english_model_hears_english() -> None:
    assert language_of(REQUEST, Windows(), [], nothing) == (UNDETERMINED, None)
    assert language_of(REQUEST, Windows(multilingual=False), [chunk(0, 100)], nothing) == ("en", None)


def test_hot_words_go_into_the_prompt() -> None:
    assert Wishes.of("en", "A talk.", ("ComfyUI", "LoRA")).prompt == "A talk. ComfyUI, LoRA"
    assert Wishes.of("en", None, ("ComfyUI",)).prompt == "ComfyUI"
    assert Wishes.of("en", " ", ()).prompt is None
    assert Wishes.of("en", None, ()).prompt is None


def test_words_with_hardly_a_pause_between_them_are_one_stretch() -> None:
    words = [
        TimedWord(text="a", start_ms=100, end_ms=300),
        TimedWord(text="b", start_ms=700, end_ms=900),
        TimedWord(text="c", start_ms=1_500, end_ms=1_600),
    ]
    assert stretches(words) == [Span(start_ms=100, end_ms=900), Span(start_ms=1_500, end_ms=1_600)]


@pytest.mark.parametrize(("known", "start_ms", "end_ms"), [(True, 0, 5_000), (False, 300, 900)])
def test_a_segment_is_as_long_as_the_speech_or_without_vad_as_its_words(
    known: bool, start_ms: int, end_ms: int
) -> None:
    heard = Heard(chunk=chunk(0, 5_000), guess=Guess(text="a b", avg_logprob=-0.123456, no_speech=0.0))
    words = [TimedWord(text="a", start_ms=300, end_ms=500), TimedWord(text="b", start_ms=500, end_ms=900)]
    made = segment_of(heard, words, known=known)
    assert (made.start_ms, made.end_ms, made.avg_logprob) == (start_ms, end_ms, -0.1235)
    assert [(word.text, word.timed_by) for word in made.words] == [
        ("a", "cross-attention"),
        ("b", "cross-attention"),
    ]


def test_a_batch_that_is_asked_for_is_given() -> None:
    assert batch_of(9) == 9
    assert batch_of(0) > 1
