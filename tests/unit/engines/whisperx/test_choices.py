# ruff: noqa: RUF001 - the scripts are the subject.
"""Chunks, windows, methods, and what is refused before anything is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from protocol.artefacts import Artefact
from protocol.errors import InputError, MissingError, UsageError
from protocol.stages.translate import TranslateRequest
from protocol.timeline import Segment, Span, Transcript
from workers.engine import ModelKey
from workers.engines.whisperx.align import choose_method, window_of
from workers.engines.whisperx.attention import split_words
from workers.engines.whisperx.translate import Passage, chunks_of, refuse_untranslatable
from workers.speech.spans import pack, spread, widen, within

FILM = Span(start_ms=0, end_ms=7_200_000)
FILE = Artefact(path="a", size=0, sha256="")


class Store:
    """A store with one alignment model."""

    def path(self, model: str) -> Path:
        return Path(model)

    def has(self, model: str) -> bool:
        return model == "wav2vec2-en"

    def get(self, key: ModelKey, load: Callable[[], Any]) -> Any:
        return load()


def spans(*pairs: tuple[int, int]) -> list[Span]:
    return [Span(start_ms=start, end_ms=end) for start, end in pairs]


def segment(start: int, end: int, text: str = "so") -> Segment:
    return Segment(start_ms=start, end_ms=end, text=text)


def test_speech_is_packed_into_chunks_that_whisper_can_hear_at_once() -> None:
    found = pack(spans((0, 10_000), (12_000, 29_000), (29_300, 40_000)), 30_000, FILM)
    assert [(chunk.start_ms, chunk.end_ms) for chunk in found] == [(0, 29_000), (29_300, 40_000)]
    assert [(chunk.heard.start_ms, chunk.heard.end_ms) for chunk in found] == [(0, 29_150), (29_150, 40_200)]
    assert pack([], 30_000, FILM) == []


def test_the_windows_that_vote_lie_over_the_whole_film() -> None:
    chunks = pack(spans(*((at * 100_000, at * 100_000 + 20_000 + at) for at in range(50))), 30_000, FILM)
    chosen = spread(chunks, 5)
    assert [chunk.start_ms // 1_000_000 for chunk in chosen] == [0, 1, 2, 3, 4]
    assert spread(chunks[:3], 5) == chunks[:3]


def test_speech_is_widened_by_half_the_pause_at_most() -> None:
    assert widen(spans((50, 500), (600, 900)), 200, 200, 950) == spans((0, 550), (550, 950))
    assert widen(spans((1_000, 2_000)), 120, 0, 9_000) == spans((880, 2_000))


def test_speech_outside_the_two_times_is_cut_off() -> None:
    assert within(spans((0, 500), (600, 900), (990, 1_500)), 300, 1_000) == spans((300, 500), (600, 900))


def test_a_segment_is_aligned_with_some_of_the_pause_but_none_of_its_neighbours() -> None:
    segments = [segment(1_000, 2_000), segment(2_100, 3_000), segment(9_000, 9_900)]
    windows = [
        window_of(spoken_segment, segments, index, 10_000) for index, spoken_segment in enumerate(segments)
    ]
    assert [(window.heard.start_ms, window.heard.end_ms) for window in windows] == [
        (700, 2_050),
        (2_050, 3_200),
        (8_700, 10_000),
    ]


def test_wav2vec2_is_taken_where_the_store_has_the_language() -> None:
    assert choose_method("auto", "en", Store()) == "wav2vec2"
    assert choose_method("auto", "hi", Store()) == "cross-attention"
    assert choose_method("cross-attention", "en", Store()) == "cross-attention"
    with pytest.raises(UsageError):
        choose_method("guess", "en", Store())


@pytest.mark.parametrize(
    ("source", "target", "model", "error"),
    [
        ("de", "hi", "whisper-base", InputError),
        ("en", "en", "whisper-base", InputError),
        ("de", "en", "whisper-large-v3-turbo", MissingError),
        ("de", "en", "whisper-base.en", MissingError),
    ],
)
def test_what_whisper_cannot_translate_is_refused_in_a_sentence(
    source: str, target: str, model: str, error: type[Exception]
) -> None:
    request = TranslateRequest(
        transcript=FILE, audio=FILE, source_language=source, target_language=target, model=model
    )
    with pytest.raises(error, match=r"\.$"):
        refuse_untranslatable(request)


def test_sentences_are_joined_for_translation_and_unspoken_stretches_left_out() -> None:
    source = Transcript(language="de", segments=(segment(0, 4_000), segment(4_500, 9_000)))
    found = chunks_of(source, spans((0, 9_000), (60_000, 61_000)), FILM)
    assert [chunk.spans for chunk in found] == [tuple(spans((0, 4_000), (4_500, 9_000)))]
    assert chunks_of(source, [], FILM)[0].end_ms == 9_000


def test_untimed_text_is_split_into_words_or_characters() -> None:
    assert split_words("And so – he said.", "en") == ["And", "so –", "he", "said."]
    assert split_words("你好。", "zh") == ["你", "好。"]


def test_of_two_translations_of_a_chunk_the_less_doubtful_one_is_kept() -> None:
    def passage(*sentences: Segment) -> Passage:
        return Passage(chunk=pack(spans((0, 9)), 30_000, Span(start_ms=0, end_ms=9))[0], sentences=sentences)

    sure = replace(segment(0, 9), avg_logprob=-0.2)
    fine, unlikely = passage(sure), passage(replace(sure, avg_logprob=-0.9))
    improbable = passage(replace(sure, avg_logprob=-1.2, marks=("improbable",)))
    loop, nothing = passage(sure, replace(sure, marks=("loop",))), passage()
    doubts = [one.doubt for one in (fine, unlikely, improbable, loop, nothing)]
    assert sorted(doubts) == doubts
    assert len(set(doubts)) == len(doubts)
