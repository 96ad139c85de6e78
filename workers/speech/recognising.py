"""The stage asr with a Whisper model: from the stretches of speech in a film to its segments.

The film's language is voted on first, and all chunks are recognised in it. Meanwhile chunks say of their own
language, which costs one step of decoding each. Only where those votes part the film (`stretches`) is what is
in another language recognised again, in its own.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from protocol.schema import to_plain
from protocol.stages.asr import HEARD_SO_FAR, AsrRequest, AsrResult
from protocol.timeline import UNDETERMINED, Segment, Span, Transcript
from workers.engine import Context
from workers.placement import Placement
from workers.speech.fitting import fit
from workers.speech.judging import is_silence, vote
from workers.speech.spans import Chunk, pack, spread
from workers.speech.stretches import LanguageVote, beside, mixed, part, shares, voters
from workers.speech.whisper import (
    HOT_WORD_TOKENS,
    LONGEST_MS,
    WINDOW_MS,
    Heard,
    Recogniser,
    RecognitionOptions,
    recognise_chunks,
)
from workers.text.glossary.hot_words import fitting, left_out
from workers.text.transcripts import publish

__all__ = ["RecognisedFilm", "language_of", "publish_film", "recognise_film", "segment_of", "telling"]

_VOTES = 5
"""So many chunks from all over the film vote on its language."""
_PIECE_MS = 5_000
"""Where a chunk may be in two languages, pieces of so much sound vote: of less, Whisper is not sure."""

Describe = Callable[[Heard, str], tuple[Segment, Iterable[Span]]]
"""A chunk and its language to its segment, and to the stretches of speech in it."""
Progress = Callable[[float, str], None]


@dataclass(frozen=True, kw_only=True)
class RecognisedFilm:
    """What is said in a film, and where."""

    language: str
    """ISO 639-1; `UNDETERMINED` where nothing is said and the request names none."""
    language_probability: float | None
    """None where the request names the language, or the model knows no other."""
    segments: tuple[Segment, ...]
    speech: tuple[Span, ...]
    languages: Mapping[str, int] = field(default_factory=dict)
    """Where several are spoken: the speech in each in milliseconds, the most first."""
    notes: tuple[str, ...] = ()
    """Hot words that had no room."""


@dataclass(frozen=True, kw_only=True)
class _Told:
    """A chunk, what is said in it, and the language in which it was recognised."""

    chunk: Chunk
    language: str
    described: tuple[tuple[Segment, tuple[Span, ...]], ...]
    """Nothing for silence."""
    chances: Mapping[str, float] | None = None
    """What it says of its language; empty for silence, None where it was not asked."""


@dataclass(frozen=True, kw_only=True)
class _Voter:
    """A whole chunk, or a piece of one that may be in two languages: then `told` is None."""

    vote: LanguageVote
    told: _Told | None = None


@dataclass(frozen=True, kw_only=True)
class _Hearing:
    """How the chunks of one film are recognised."""

    request: AsrRequest
    recogniser: Recogniser
    describe: Describe
    has_peaks: bool

    @property
    def limit_ms(self) -> int:
        """Return how long a chunk is at most."""
        return min(self.request.chunk_ms, WINDOW_MS)

    def told(
        self,
        chunks: Sequence[Chunk],
        language: str,
        progress: Callable[[float], None],
        voters: frozenset[int] = frozenset(),
    ) -> Iterator[_Told]:
        """Yield what is said in each chunk; those that start at `voters` say of their language, too."""
        options = RecognitionOptions(
            language=language,
            beam_size=self.request.beam_size,
            initial_prompt=self.request.initial_prompt,
            hotwords=self.request.hotwords,
            voters=voters,
        )
        for heard in recognise_chunks(self.recogniser, chunks, options, progress):
            described = tuple(self._described(heard.parts, language))
            yield _Told(
                chunk=heard.chunk,
                language=language,
                described=described,
                chances=(heard.languages or None) if described else {},
            )

    def _described(self, parts: Sequence[Heard], language: str) -> Iterator[tuple[Segment, tuple[Span, ...]]]:
        for heard in parts:
            peak = max(span.peak for span in heard.chunk.spans) if self.has_peaks else None
            if not is_silence(heard.guess, peak):
                segment, stretches = self.describe(heard, language)
                yield segment, tuple(stretches)


def recognise_film(
    request: AsrRequest,
    recogniser: Recogniser,
    spoken: Sequence[Span],
    describe: Describe,
    progress: Progress,
    *,
    has_peaks: bool,
) -> RecognisedFilm:
    """Return what is said in the stretches `spoken`: one segment for each chunk, none for silence.

    `has_peaks`: a voice activity detection gave the stretches their peaks. `progress` is called with 0 to 1
    and what is being done. Raises `InputError` for a language that the model does not know.
    """
    asked = _with_room(request, recogniser)
    hearing = _Hearing(request=asked, recogniser=recogniser, describe=describe, has_peaks=has_peaks)
    return replace(_recognised(hearing, spoken, progress), notes=left_out(request.hotwords, asked.hotwords))


def _with_room(request: AsrRequest, recogniser: Recogniser) -> AsrRequest:
    """Return the request with the hot words that the model has room for."""
    if not request.hotwords:
        return request
    room = HOT_WORD_TOKENS - recogniser.prompt_length(request.initial_prompt or "")
    return replace(request, hotwords=fitting(request.hotwords, recogniser.prompt_length, room))


def _recognised(hearing: _Hearing, spoken: Sequence[Span], progress: Progress) -> RecognisedFilm:
    request, recogniser = hearing.request, hearing.recogniser
    chunks = pack(spoken, hearing.limit_ms, recogniser.sound.whole)
    first = _first_votes(request, recogniser, chunks, lambda: progress(0.0, "hearing the language"))
    language, probability = _taken_for(request, recogniser, first)
    starts = {chunks[place].start_ms for place in voters(len(chunks))} if first else set()
    told = [
        replace(part, chances=first.get(part.chunk.start_ms, part.chances) if part.described else {})
        for part in hearing.told(
            chunks, language, lambda share: progress(share, "recognising"), frozenset(starts - set(first))
        )
    ]
    if first and (several := _in_several(hearing, told, language, progress)):
        return several
    if not any(part.described for part in told) and request.language is None:
        # What somebody wrote of the film holds even where nothing is said; what was heard does not.
        language, probability = UNDETERMINED, None
    return _film(told, language, probability)


def _film(told: Iterable[_Told], language: str, probability: float | None) -> RecognisedFilm:
    described = [(part.language, *found) for part in told for found in part.described]
    return RecognisedFilm(
        language=language,
        language_probability=probability,
        segments=tuple(
            segment if spoken == language else replace(segment, language=spoken)
            for spoken, segment, _ in described
        ),
        speech=tuple(span for _, _, stretches in described for span in stretches),
    )


def _in_several(
    hearing: _Hearing, told: Sequence[_Told], language: str, progress: Progress
) -> RecognisedFilm | None:
    """Return the film with each stretch recognised in its own language; None where it has one language."""
    heard = _voters(hearing, told, lambda: progress(1.0, "hearing the languages"))
    votes = [voter.vote for voter in heard]
    stretches = part(votes, language)
    if not stretches:
        return None
    spoken = shares(votes, stretches)
    languages = [stretch.language for stretch in stretches for _ in votes[stretch.first : stretch.stop]]
    found = [
        voter.told
        for voter, own in zip(heard, languages, strict=True)
        if voter.told is not None and voter.told.language == own
    ]
    for other, chunks in _to_recognise(hearing, heard, languages).items():
        found += hearing.told(chunks, other, lambda _share: progress(1.0, "recognising another language"))
    found.sort(key=lambda part: part.chunk.start_ms)
    main = next(iter(spoken))
    mine = [vote.chances.get(main, 0.0) for vote, own in zip(votes, languages, strict=True) if own == main]
    film = _film(found, main, round(sum(mine) / len(mine), 4))
    return replace(film, languages=spoken)


def _voters(hearing: _Hearing, told: Sequence[_Told], tick: Callable[[], None]) -> list[_Voter]:
    """Return the chunks with their votes; of a chunk that may be in two languages, its pieces."""
    sound = hearing.recogniser.sound
    votes = _whole_votes(hearing.recogniser, told, tick)
    pieces = {
        place: pack(fit(told[place].chunk.spans, sound, _PIECE_MS), _PIECE_MS, told[place].chunk.heard)
        for place in mixed(votes)
    }
    asked = [piece for cut in pieces.values() for piece in cut]
    answers = iter(hearing.recogniser.languages(asked, tick) if asked else ())
    found: list[_Voter] = []
    for place, whole in enumerate(votes):
        found += [
            _Voter(vote=LanguageVote(spans=piece.spans, chances=next(answers)))
            for piece in pieces.get(place, ())
        ] or [_Voter(vote=whole, told=told[place])]
    return found


def _whole_votes(
    recogniser: Recogniser, told: Sequence[_Told], tick: Callable[[], None]
) -> list[LanguageVote]:
    """Return the votes of the chunks; one that was not asked says nothing, unless those beside it differ."""
    votes = [
        None if part.chances is None else LanguageVote(spans=part.chunk.spans, chances=part.chances)
        for part in told
    ]
    while places := beside(votes):
        chunks = [told[place].chunk for place in places]
        for place, chances in zip(places, recogniser.languages(chunks, tick), strict=True):
            votes[place] = LanguageVote(spans=told[place].chunk.spans, chances=chances)
    return [
        found or LanguageVote(spans=part.chunk.spans, chances={})
        for found, part in zip(votes, told, strict=True)
    ]


def _to_recognise(
    hearing: _Hearing, heard: Sequence[_Voter], languages: Sequence[str]
) -> dict[str, list[Chunk]]:
    """Return, by language, what is recognised again: no chunk is in two languages, or hears another one."""

    def group(place: int) -> tuple[str, bool]:
        told, language = heard[place].told, languages[place]
        return language, told is not None and told.language == language

    found: dict[str, list[Chunk]] = {}
    for (language, done), places in groupby(range(len(heard)), key=group):
        first, *others = places
        last = others[-1] if others else first
        if not done:
            spans = [span for voter in heard[first : last + 1] for span in voter.vote.spans]
            bounds = _bounds(hearing, heard, first, last)
            found.setdefault(language, []).extend(pack(_closed(spans), hearing.limit_ms, bounds))
    return found


def _bounds(hearing: _Hearing, heard: Sequence[_Voter], first: int, last: int) -> Span:
    """Return the time of these heard, and half of the pause at both ends."""

    def border(place: int) -> int:
        return (heard[place - 1].vote.spans[-1].end_ms + heard[place].vote.spans[0].start_ms) // 2

    whole = hearing.recogniser.sound.whole
    return Span(
        start_ms=border(first) if first else whole.start_ms,
        end_ms=border(last + 1) if last + 1 < len(heard) else whole.end_ms,
    )


def _closed(spans: Sequence[Span]) -> list[Span]:
    """Return the spans; those that were cut for the votes, and touch, as one again."""
    found: list[Span] = []
    for span in spans:
        joined = found and found[-1].end_ms == span.start_ms
        if joined and span.end_ms - found[-1].start_ms <= LONGEST_MS:
            found[-1] = Span(
                start_ms=found[-1].start_ms, end_ms=span.end_ms, peak=max(found[-1].peak, span.peak)
            )
        else:
            found.append(span)
    return found


def language_of(
    request: AsrRequest, recogniser: Recogniser, chunks: Sequence[Chunk], tick: Callable[[], None]
) -> tuple[str, float | None]:
    """Return the film's language, and how probable it is where the model was asked.

    The request may name it. Else chunks from all over the film vote on it, and a model that knows English
    only hears English.
    """
    return _taken_for(request, recogniser, _first_votes(request, recogniser, chunks, tick))


def _first_votes(
    request: AsrRequest, recogniser: Recogniser, chunks: Sequence[Chunk], tick: Callable[[], None]
) -> dict[int, Mapping[str, float]]:
    """Return what some chunks from all over the film say, by their starts; nothing where nobody asks."""
    if request.language is not None or not recogniser.is_multilingual or not chunks:
        return {}
    asked = spread(chunks, _VOTES)
    return {
        chunk.start_ms: chances
        for chunk, chances in zip(asked, recogniser.languages(asked, tick), strict=False)
    }


def _taken_for(
    request: AsrRequest, recogniser: Recogniser, first: Mapping[int, Mapping[str, float]]
) -> tuple[str, float | None]:
    if request.language is not None:
        return recogniser.language_token(request.language), None
    if first:
        language, probability = vote(first.values())
        return language, round(probability, 4)
    return (UNDETERMINED if recogniser.is_multilingual else "en"), None


def segment_of(heard: Heard) -> Segment:
    """Return the chunk's text as a segment without words."""
    return Segment(
        start_ms=heard.chunk.start_ms,
        end_ms=heard.chunk.end_ms,
        text=heard.guess.text,
        avg_logprob=round(heard.guess.avg_logprob, 4),
        no_speech=round(heard.guess.no_speech, 4),
    )


@contextlib.contextmanager
def telling(context: Context, describe: Describe) -> Iterator[Describe]:
    """Give a `describe` that also writes each segment where a client can read it while the call runs.

    A client reads on in the order of the film: what is recognised again in its own language is not told a
    second time.
    """
    told_ms = 0
    with context.output(HEARD_SO_FAR).open("wb", buffering=0) as file:

        def describe_and_tell(heard: Heard, language: str) -> tuple[Segment, Iterable[Span]]:
            nonlocal told_ms
            segment, stretches = describe(heard, language)
            if segment.start_ms >= told_ms:
                told_ms = segment.end_ms
                file.write(json.dumps(to_plain(segment)).encode() + b"\n")
            return segment, stretches

        yield describe_and_tell


def publish_film(
    request: AsrRequest, context: Context, engine: str, where: Placement, film: RecognisedFilm
) -> AsrResult:
    """Write `segments.json` and return the result of the call."""
    transcript = Transcript(
        language=film.language,
        segments=film.segments,
        language_probability=film.language_probability,
        engine=engine,
        model=request.model,
    )
    return AsrResult(
        segments=publish(context, "segments.json", transcript),
        language=film.language,
        language_probability=film.language_probability,
        segment_count=len(film.segments),
        speech=film.speech,
        device=where.device,
        compute_type=where.compute_type,
        model=request.model,
        languages=dict(film.languages),
        notes=film.notes,
    )
