"""Chunks to text with a recogniser that answers from a list: second tries, sampling, progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from protocol.artefacts import Artefact
from protocol.errors import InputError
from protocol.stages.asr import AsrRequest
from protocol.timeline import UNDETERMINED, Segment, Span
from workers.context import CallContext
from workers.lanes import batches_of
from workers.models import ModelShelf
from workers.placement import Placement
from workers.speech.judging import Guess
from workers.speech.recognising import language_of, publish_film, recognise_film, segment_of
from workers.speech.spans import Chunk
from workers.speech.whisper import (
    Decoding,
    Heard,
    RecognitionOptions,
    SecondTry,
    foreign_tokens,
    recognise,
)

REQUEST = AsrRequest(audio=Artefact(path="x", size=0, sha256=""))
OPTIONS = RecognitionOptions(language="en")
LOOP = "thank you " * 20


def chunk(start_ms: int, end_ms: int) -> Chunk:
    span = Span(start_ms=start_ms, end_ms=end_ms)
    return Chunk(spans=(span,), heard=span)


CHUNKS = [chunk(at * 10_000, at * 10_000 + 9_000) for at in range(3)]


class Script:
    """A recogniser whose answers are written down: for each start, one text for each time it is asked."""

    batch_size = 2
    lanes = 0

    def __init__(self, *windows: dict[str, float], multilingual: bool = True, **texts: Sequence[str]) -> None:
        self.sound: Any = SimpleNamespace(whole=Span(start_ms=0, end_ms=3_600_000))
        self.is_multilingual = multilingual
        self.windows = list(windows)
        self.texts = {int(start[1:]): list(said) for start, said in texts.items()}
        self.batches: list[list[int]] = []
        self.decodings: list[Decoding] = []
        self.asked: Sequence[Chunk] = ()
        self.forgotten: list[int] = []

    def lanes_now(self) -> int:
        return self.lanes

    def language_token(self, language: str) -> str:
        if language == "xx":
            raise InputError("This Whisper model does not know the language 'xx'.")
        return language

    def languages(self, chunks: Sequence[Chunk], tick: Callable[[], None]) -> list[dict[str, float]]:
        tick()
        self.asked = chunks
        return self.windows

    def decode(self, batch: Sequence[Chunk], options: RecognitionOptions, decoding: Decoding) -> list[Heard]:
        self.batches.append([part.start_ms for part in batch])
        self.decodings.append(decoding)
        return [self._next(part) for part in batch]

    def vary(
        self, chunks: Sequence[Chunk], options: RecognitionOptions, decoding: Decoding
    ) -> Iterator[Sequence[Heard]]:
        for part in chunks:
            yield self.decode([part] * 2, options, decoding)

    def second_try(self, first: Heard, options: RecognitionOptions) -> SecondTry:
        start = first.chunk.start_ms
        pieces = [chunk(start, start + 4_000), chunk(start + 4_000, start + 9_000)]
        return SecondTry(pieces=pieces, forbidden=(7,), prompt="This is English.", echo="This is English.")

    def forget_before(self, start_ms: int) -> None:
        self.forgotten.append(start_ms)

    def _next(self, part: Chunk) -> Heard:
        said = self.texts.get(part.start_ms) or ["so it is"]
        text = said.pop(0) if len(said) > 1 else said[0]
        guess = Guess(text=text, avg_logprob=-0.2, no_speech=0.95 if text == "..." else 0.0)
        return Heard(chunk=part, guess=guess)


def said_by(script: Script, chunks: Sequence[Chunk] = CHUNKS) -> list[tuple[int, str]]:
    return [
        (heard.chunk.start_ms, heard.guess.text)
        for heard in recognise(script, chunks, OPTIONS, lambda _share: None)
    ]


def test_chunks_are_decoded_in_batches_without_limits() -> None:
    script = Script()
    assert said_by(script) == [(0, "so it is"), (10_000, "so it is"), (20_000, "so it is")]
    assert script.batches == [[0, 10_000], [20_000]]
    assert script.decodings == [Decoding(), Decoding()]
    assert script.forgotten == [19_000, 29_000]


def test_a_doubtful_chunk_comes_back_in_pieces_that_are_worth_more() -> None:
    script = Script(t10000=[LOOP, "one"], t14000=["two"])
    assert said_by(script) == [(0, "so it is"), (10_000, "one"), (14_000, "two"), (20_000, "so it is")]
    again = script.decodings[1]
    assert (again.prompt, again.forbidden, again.no_repeat) == ("This is English.", (7,), 4)
    assert script.batches[1] == [10_000, 14_000]


def test_only_a_spoilt_piece_is_tried_otherwise_and_its_best_text_taken() -> None:
    script = Script(t10000=[LOOP, LOOP, LOOP, "one"], t14000=["two"])
    assert said_by(script)[1:3] == [(10_000, "one"), (14_000, "two")]
    assert script.batches[2] == [10_000, 10_000]
    sampled = script.decodings[2]
    assert sampled.temperature > 0
    assert (sampled.prompt, sampled.forbidden, sampled.no_repeat) == (None, (7,), 4)


def test_a_doubtful_chunk_stays_as_it_was_where_its_pieces_are_worth_no_more() -> None:
    script = Script(t10000=[LOOP], t14000=[LOOP])
    assert said_by(script)[1] == (10_000, LOOP)


def test_an_echo_of_the_prompt_is_worth_no_more_than_a_loop() -> None:
    script = Script(t10000=[LOOP, "This is English."], t14000=["This is English."])
    assert said_by(script)[1] == (10_000, LOOP)


def test_progress_rises_and_is_told_before_each_step() -> None:
    told: list[float] = []
    script = Script(t10000=[LOOP, "one"])
    for _ in recognise(script, CHUNKS, OPTIONS, told.append):
        pass
    assert told == sorted(told)
    assert told[0] == 0.0
    assert told.count(0.0) == 4, "for the batch, its two chunks, and the pieces of the second"


def test_tokens_with_a_letter_of_another_script_are_foreign() -> None:
    assert foreign_tokens(["a", "है", "1", "bत"], "hi") == (0, 3)
    assert foreign_tokens(["a", "है"], "xx") == ()


def test_batches_are_of_one_size_but_the_last() -> None:
    assert [list(batch) for batch in batches_of(range(5), 2)] == [[0, 1], [2, 3], [4]]


def test_chunks_from_the_whole_film_vote_on_its_language() -> None:
    script = Script({"en": 0.9}, {"hi": 0.8}, {"hi": 0.9}, {"hi": 0.7, "ur": 0.3}, {"en": 0.6, "hi": 0.4})
    chunks = [chunk(at * 30_000, at * 30_000 + 20_000) for at in range(40)]
    assert language_of(REQUEST, script, chunks, lambda: None) == ("hi", 0.56)
    starts = [window.start_ms for window in script.asked]
    assert len(starts) == 5
    assert starts[0] < 240_000 <= starts[1] < 480_000 <= starts[2]
    assert starts[4] >= 960_000


def test_without_speech_there_is_no_language_and_an_english_model_hears_english() -> None:
    assert language_of(REQUEST, Script(), [], lambda: None) == (UNDETERMINED, None)
    assert language_of(REQUEST, Script(multilingual=False), CHUNKS, lambda: None) == ("en", None)


def test_a_language_that_the_request_names_is_not_voted_on() -> None:
    named = AsrRequest(audio=REQUEST.audio, language="de")
    assert language_of(named, Script(), CHUNKS, lambda: None) == ("de", None)
    with pytest.raises(InputError):
        language_of(AsrRequest(audio=REQUEST.audio, language="xx"), Script(), CHUNKS, lambda: None)


def describe(heard: Heard, _language: str) -> tuple[Segment, Sequence[Span]]:
    return segment_of(heard), heard.chunk.spans


def test_a_film_is_a_segment_for_each_chunk_and_none_for_silence(tmp_path: Path) -> None:
    script = Script({"en": 0.9, "de": 0.1}, t20000=["..."])
    spoken = [span for part in CHUNKS for span in part.spans]
    request = AsrRequest(audio=REQUEST.audio, chunk_ms=10_000)
    notes: list[str] = []
    film = recognise_film(
        request, script, spoken, describe, lambda _share, note: notes.append(note), has_peaks=True
    )
    assert [segment.start_ms for segment in film.segments] == [0, 10_000]
    assert film.speech == tuple(spoken[:2])
    assert (film.language, film.language_probability) == ("en", 0.9)
    assert notes[0] == "hearing the language"
    assert set(notes[1:]) == {"recognising"}

    context = CallContext(tmp_path, "scratch", "asr", ModelShelf(tmp_path), lambda _share, _note: None)
    where = Placement(device="cpu", compute_type="int8")
    result = publish_film(request, context, "some-engine", where, film)
    assert (result.language, result.segment_count, result.speech) == ("en", 2, film.speech)
    assert (result.device, result.compute_type, result.model) == ("cpu", "int8", request.model)


def test_a_film_in_which_nobody_speaks_has_no_language() -> None:
    film = recognise_film(
        REQUEST, Script({"en": 1.0}, t0=["..."]), CHUNKS[0].spans, describe, lambda *_: None, has_peaks=True
    )
    assert (film.language, film.language_probability, film.segments) == (UNDETERMINED, None, ())
    named = AsrRequest(audio=REQUEST.audio, language="en")
    for spoken in (CHUNKS[0].spans, ()):
        film = recognise_film(named, Script(t0=["..."]), spoken, describe, lambda *_: None, has_peaks=True)
        assert (film.language, film.segments) == ("en", ())
