"""Chunks to text with a recogniser that answers from a list: second tries, sampling, progress."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from protocol.artefacts import Artefact
from protocol.errors import InputError
from protocol.stages.asr import HEARD_SO_FAR, AsrRequest
from protocol.timeline import UNDETERMINED, Segment, Span
from workers.context import CallContext
from workers.lanes import batches_of
from workers.models import ModelShelf
from workers.placement import Placement
from workers.speech.judging import Guess
from workers.speech.recognising import (
    RecognisedFilm,
    language_of,
    publish_film,
    recognise_film,
    segment_of,
    telling,
)
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
        self.hotwords = options.hotwords
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

    def prompt_length(self, text: str) -> int:
        return len(text.split())

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
    script = Script({"en": 0.9, "de": 0.05, "fr": 0.05}, t20000=["..."])
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


class Speakers(Script):
    """A recogniser of a film in which the language changes: it writes each in its own, or a mistake."""

    batch_size = 4

    def __init__(self, *spoken: tuple[int, str]) -> None:
        super().__init__({"en": 0.9})
        self.sound = SimpleNamespace(
            whole=Span(start_ms=0, end_ms=600_000), duration_ms=600_000, between=lambda *_: np.zeros(16_000)
        )
        self.spoken = spoken
        self.options: list[RecognitionOptions] = []

    def heard_in(self, part: Chunk) -> dict[str, float]:
        """Return how much of the chunk is in each language."""
        found: dict[str, float] = {}
        starts = [start for start, _ in self.spoken]
        for (start, language), stop in zip(self.spoken, [*starts[1:], 600_000], strict=True):
            said = sum(max(0, min(stop, span.end_ms) - max(start, span.start_ms)) for span in part.spans)
            found[language] = found.get(language, 0) + said
        return {language: ms / sum(found.values()) for language, ms in found.items() if ms}

    def languages(self, chunks: Sequence[Chunk], tick: Callable[[], None]) -> list[dict[str, float]]:
        tick()
        return [self.heard_in(part) for part in chunks]

    def decode(self, batch: Sequence[Chunk], options: RecognitionOptions, decoding: Decoding) -> list[Heard]:
        self.options.append(options)
        return [
            Heard(
                chunk=part,
                guess=Guess(
                    text=f"{options.language} of {'+'.join(self.heard_in(part))}",
                    avg_logprob=-0.2,
                    no_speech=0.0,
                ),
                languages=self.heard_in(part) if part.start_ms in options.voters else {},
            )
            for part in batch
        ]


def film_of(
    script: Speakers, language: str | None = None, *, spans: int = 24
) -> tuple[RecognisedFilm, list[tuple[str, str]]]:
    spoken = [Span(start_ms=at * 5_000, end_ms=at * 5_000 + 4_500) for at in range(spans)]
    request = AsrRequest(audio=REQUEST.audio, language=language)
    film = recognise_film(request, script, spoken, describe, lambda *_: None, has_peaks=True)
    return film, [(segment.language, segment.text) for segment in film.segments]


def test_each_stretch_is_recognised_in_its_own_language_also_within_a_chunk() -> None:
    script = Speakers((0, "en"), (45_000, "fr"))
    film, said = film_of(script)
    assert (film.language, film.languages) == ("fr", {"fr": 67_500, "en": 40_500})
    assert film.language_probability == 1.0
    assert {text for _, text in said} == {"en of en", "fr of fr"}
    assert {language for language, text in said if text == "en of en"} == {"en"}
    assert {language for language, text in said if text == "fr of fr"} == {""}
    assert [text for _, text in said] == sorted(text for _, text in said)
    assert sum(span.end_ms - span.start_ms for span in film.speech) == 24 * 4_500
    assert list(film.speech) == sorted(film.speech, key=lambda span: span.start_ms)
    borders = [segment for segment in film.segments if segment.start_ms < 45_000 < segment.end_ms]
    assert borders == []


def test_what_is_heard_is_told_once_in_the_order_of_the_film(tmp_path: Path) -> None:
    script = Speakers((0, "en"), (45_000, "fr"), (90_000, "en"))
    context = CallContext(tmp_path, "scratch", "asr", ModelShelf(tmp_path), lambda _share, _note: None)
    spoken = [Span(start_ms=at * 5_000, end_ms=at * 5_000 + 4_500) for at in range(24)]
    with telling(context, describe) as described:
        film = recognise_film(REQUEST, script, spoken, described, lambda *_: None, has_peaks=True)
    assert len(film.languages) == 2
    told = [json.loads(line) for line in context.output(HEARD_SO_FAR).read_text().splitlines()]
    assert told
    for before, after in itertools.pairwise(told):
        assert before["end_ms"] <= after["start_ms"]
    assert told[-1]["end_ms"] == film.segments[-1].end_ms


def test_a_named_language_and_a_film_in_one_are_recognised_once() -> None:
    named = Speakers((0, "en"), (45_000, "fr"))
    film, said = film_of(named, "en")
    assert (film.language, film.languages) == ("en", {})
    assert {language for language, _ in said} == {""}
    assert not any(options.voters for options in named.options)
    one = Speakers((0, "en"))
    film, said = film_of(one)
    assert (film.language, film.languages, set(said)) == ("en", {}, {("", "en of en")})
    assert len(one.options) == 1
    assert not any(options.voters for options in one.options), "all have voted on the film's language"


@pytest.mark.parametrize("batch_size", [1, 2, 16])
@pytest.mark.parametrize("lanes", [0, 1, 3])
def test_stretches_are_the_same_whatever_the_lanes_and_batches(lanes: int, batch_size: int) -> None:
    script = Speakers((0, "en"), (30_000, "fr"), (70_000, "en"))
    script.lanes, script.batch_size = lanes, batch_size
    film, _ = film_of(script)
    expected, _ = film_of(Speakers((0, "en"), (30_000, "fr"), (70_000, "en")))
    assert film == expected
    assert [segment.language for segment in film.segments].count("fr") > 0


def test_no_chunk_hears_the_other_language() -> None:
    script = Speakers((0, "en"), (45_000, "fr"))
    heard: list[Chunk] = []

    def note(one: Heard, _language: str) -> tuple[Segment, Sequence[Span]]:
        heard.append(one.chunk)
        return describe(one, _language)

    spoken = [Span(start_ms=at * 5_000, end_ms=at * 5_000 + 5_000) for at in range(24)]
    recognise_film(REQUEST, script, spoken, note, lambda *_: None, has_peaks=True)
    again = [part for part in heard if part.heard.start_ms == 45_000 or part.heard.end_ms == 45_000]
    assert len(again) == 2


def test_of_a_long_film_every_second_chunk_votes_and_more_only_beside_another_language() -> None:
    one = Speakers((0, "en"))
    one.spoken, film = ((0, "en"),), film_of(one, spans=240)[0]
    assert film.languages == {}
    asked = {start for options in one.options for start in options.voters}
    assert 15 <= len(asked) <= 24, "of 48 chunks, without the five that voted first"
    two = Speakers((0, "en"), (400_000, "fr"), (480_000, "en"))
    film = film_of(two, spans=120)[0]
    assert film.languages == {"en": 104 * 4_500, "fr": 16 * 4_500}


def test_hot_words_without_room_are_told() -> None:
    spoken = [Span(start_ms=0, end_ms=9_000)]
    words = tuple(f"Name{place}" for place in range(230))
    for prompt, told in (
        (None, "7 of 230 hot words had no room and were not listened for: Name223, Name224, Name225,"),
        ("A long talk.", "10 of 230 hot words had no room"),
    ):
        script = Script()
        request = replace(REQUEST, language="en", hotwords=words, initial_prompt=prompt)
        film = recognise_film(request, script, spoken, describe, lambda *_: None, has_peaks=False)
        (note,) = film.notes
        assert note.startswith(told)
        assert script.hotwords == words[: 223 - len((prompt or "").split())]
    few = replace(REQUEST, language="en", hotwords=words[:3])
    assert recognise_film(few, Script(), spoken, describe, lambda *_: None, has_peaks=False).notes == ()


def test_a_chunk_that_hot_words_spoil_is_decoded_without_them() -> None:
    options = replace(OPTIONS, hotwords=("Jai", "Veeru"))
    for spoilt in ("and so, Jai, Veeru", LOOP):
        script = Script(_0=[spoilt, "and so it is"])
        (heard,) = recognise(script, CHUNKS[:1], options, lambda _: None)
        assert heard.guess.text == "and so it is"
        assert script.hotwords == ()
        assert script.batches == [[0], [0]], "no piece is tried: without hot words it is a good text"
    fine = Script(_0=["Jai and Veeru came"])
    (heard,) = recognise(fine, CHUNKS[:1], options, lambda _: None)
    assert (heard.guess.text, fine.hotwords) == ("Jai and Veeru came", options.hotwords)
