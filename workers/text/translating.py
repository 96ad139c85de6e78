"""Translates a transcript with an engine that only knows texts.

Cues become whole sentences. The engine gets every different sentence once, all in one call, and makes
the batches itself. Rules mend what is sure: the separators of numbers, addresses, notes, dashes. What is
doubtful then is tried again in another way, and the better text is kept; what is doubtful still is marked.
The words of a translation share the time in which its sentence was spoken.

A viewer sees the text of a doubtful sentence as the engine gave it; the transcript marks it, and the result
counts it. Of an empty translation a viewer sees nothing: its segment has the time and the mark, and no words.
The text of the source in its place would look like a translation.

Of a film in several languages each stretch is translated from its own. What is in the target's language
already stays; what the engine cannot translate stays, too, is marked, and a note says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from protocol.errors import BugError, InputError, MissingError, UsageError
from protocol.languages import language_name
from protocol.stages.translate import TranslateRequest, TranslateResult
from protocol.subtitles.doubts import EMPTY, UNTRANSLATED
from protocol.timeline import Segment, Transcript
from workers.engine import Context
from workers.text.checks.marking import marks_of
from workers.text.checks.mending import mended, plainer
from workers.text.pieces import clean
from workers.text.sentences import Sentence, join_sentences
from workers.text.spreading import spread
from workers.text.transcripts import publish, read
from workers.text.writing import is_punctuation

__all__ = ["Translate", "Ways", "WaysOf", "result_of", "translate_transcript"]

Translate = Callable[[Sequence[str], Callable[[float], None]], list[str]]
"""Takes texts and a callback for progress (0 to 1; it may raise `CancelledError`), and returns the
translations in order."""
Ways = tuple[Translate, Translate | None]
"""How texts are translated, and how those that are doubtful then are; None: the engine knows no other way."""
WaysOf = Callable[[TranslateRequest], Ways]
"""The ways for a request from another language; raises where the engine or model does not have the pair."""
_FIRST_SHARE = 0.9
"""The part of a call's progress that the first try is."""
_AGAIN_SHARE = 0.25
_AGAIN_LEAST = 12
"""At most this share of a film's different sentences is tried again, or so many: where more are doubtful, the
model does not know the language, and another way would not help."""


@dataclass(frozen=True, kw_only=True)
class _Meaning:
    """A translation of a text: what is doubtful about it, and how it came about."""

    text: str
    marks: tuple[str, ...] = ()
    again: bool = False
    """It is what the second try gave."""
    retried: bool = False
    """There was a second try."""


def translate_transcript(
    request: TranslateRequest,
    context: Context,
    engine: str,
    translate: Translate,
    again: Translate | None = None,
    ways_of: WaysOf | None = None,
) -> TranslateResult:
    """Write `transcript.<target>.json`, one segment for each sentence; return it and the counts of its marks.

    `translate` is called once with every different sentence, and not at all where nobody speaks. A text
    without words (`…`, `♪`) stays as it is. `again` is called once with the sentences that are doubtful, up
    to a quarter of all, and translates them in another way; an engine that knows no other way has None, and
    then gets only those that can be written in a plainer way. `ways_of` is asked for the ways of every other
    language that is spoken; None: the engine has none. Raises `InputError` where the transcript cannot
    be read, `BugError` where the engine returns another number of texts.
    """
    source = read(context, request.transcript)
    runs = [
        (language, tuple(segments))
        for language, segments in groupby(
            source.segments, key=lambda segment: segment.language or request.source_language
        )
    ] or [(request.source_language, ())]

    def ways(asked: TranslateRequest) -> Ways:
        if asked.source_language == request.source_language:
            return translate, again
        if ways_of is None:
            message = f"{engine} translates from one language in a film."
            raise InputError(message)
        return ways_of(asked)

    parts, notes = _translated(runs, request, context, ways)
    segments: list[Segment] = []
    for language, said in runs:
        part = parts.get(language)
        if part:
            segments += part.segments_of(said, request, engine)
        else:
            segments += _kept(said, language, request, source.engine)
    transcript = Transcript(
        language=request.target_language,
        segments=tuple(segments),
        translated_from=request.source_language,
        engine=engine,
        model=request.model,
        speakers=source.speakers,
    )
    retried = sum(part.retried for part in parts.values())
    return replace(result_of(request, context, transcript, retried), notes=notes)


@dataclass(frozen=True, kw_only=True)
class _Translated:
    """The translations of all that is said in one language."""

    language: str
    meanings: Mapping[str, _Meaning]
    retried: int

    def segments_of(self, said: Sequence[Segment], request: TranslateRequest, engine: str) -> list[Segment]:
        """Return the translation of some of the segments, one segment for each sentence."""
        return [
            _segment(sentence, self.meanings, request.target_language, engine)
            for sentence in join_sentences(said, self.language)
        ]


def _translated(
    runs: Sequence[tuple[str, Sequence[Segment]]],
    request: TranslateRequest,
    context: Context,
    ways: WaysOf,
) -> tuple[dict[str, _Translated], tuple[str, ...]]:
    """Return the translations by language, and what is to be said of languages without any."""
    spoken = dict.fromkeys(language for language, _ in runs)
    if request.source_language != request.target_language:
        # A film that is in the target's language is refused by its engine.
        spoken.pop(request.target_language, None)
    found: dict[str, _Translated] = {}
    notes: list[str] = []
    for place, language in enumerate(spoken):
        sentences = [
            sentence for own, said in runs if own == language for sentence in join_sentences(said, language)
        ]
        asked = request
        if language != request.source_language:
            asked = replace(request, source_language=language, source_script="")

        def tell(share: float, note: str, place: int = place) -> None:
            context.progress((place + share) / len(spoken), note)

        try:
            meanings = _meanings(sentences, asked, tell, ways(asked))
        except (InputError, MissingError, UsageError) as error:
            if language == request.source_language:
                raise
            notes.append(f"{language_name(language)} is not translated: {error.message.rstrip('.')}")
            continue
        retried = sum(sentence.text in meanings and meanings[sentence.text].retried for sentence in sentences)
        found[language] = _Translated(language=language, meanings=meanings, retried=retried)
    return found, tuple(notes)


def _kept(said: Sequence[Segment], language: str, request: TranslateRequest, engine: str) -> list[Segment]:
    """Return what is in the target's language, or cannot be translated: that is marked.

    `engine` is what heard it: no translator wrote it.
    """
    own, marks = ("", ()) if language == request.target_language else (language, (UNTRANSLATED,))
    return [replace(segment, language=own, marks=marks, engine=engine) for segment in said]


def result_of(
    request: TranslateRequest, context: Context, transcript: Transcript, retried: int
) -> TranslateResult:
    """Write the translation as `transcript.<target>.json`; return it and the counts of its marks."""
    segments = transcript.segments
    return TranslateResult(
        transcript=publish(context, f"transcript.{transcript.language}.json", transcript),
        segment_count=len(segments),
        model=request.model,
        engine=transcript.engine,
        marks=dict(Counter(mark for segment in segments for mark in segment.marks)),
        doubted=sum(bool(segment.marks) for segment in segments),
        retried=retried,
    )


def _meanings(
    sentences: Sequence[Sentence],
    request: TranslateRequest,
    tell: Callable[[float, str], None],
    ways: Ways,
) -> dict[str, _Meaning]:
    """Return the translation of every different text that has words."""
    texts = list(dict.fromkeys(sentence.text for sentence in sentences if not is_punctuation(sentence.text)))
    translate, again = ways

    def progress(fraction: float) -> None:
        tell(fraction * _FIRST_SHARE, "translating")

    def progress_again(fraction: float) -> None:
        tell(_FIRST_SHARE + fraction * (1 - _FIRST_SHARE), "translating doubtful sentences again")

    found = _judged(texts, _asked(translate, texts, progress), request)
    if not request.retry:
        return found
    doubtful = [text for text in texts if found[text].marks and (again or plainer(text) != text)]
    most = max(_AGAIN_LEAST, round(_AGAIN_SHARE * len(texts)))
    questions = {text: plainer(text) for text in doubtful[:most]}
    others = _asked(again or translate, list(questions.values()), progress_again)
    for text, second in _judged(list(questions), others, request).items():
        better = len(second.marks) < len(found[text].marks)
        kept = second if better else found[text]
        found[text] = _Meaning(text=kept.text, marks=kept.marks, again=better, retried=True)
    return found


def _asked(translate: Translate, texts: Sequence[str], progress: Callable[[float], None]) -> list[str]:
    if not texts:
        return []
    progress(0.0)
    found = translate(texts, progress)
    if len(found) != len(texts):
        message = f"The engine returned {len(found)} translations of {len(texts)} sentences."
        raise BugError(message)
    return found


def _judged(texts: Sequence[str], found: Sequence[str], request: TranslateRequest) -> dict[str, _Meaning]:
    """Return the translations, mended, with their marks."""
    source, target = request.source_language, request.target_language
    judged = {}
    for text, translation in zip(texts, found, strict=True):
        meaning = mended(text, clean(translation), source, target)
        marks = marks_of(text, meaning, source, target, request.target_script)
        judged[text] = _Meaning(text="" if EMPTY in marks else meaning, marks=marks)
    return judged


def _segment(sentence: Sentence, meanings: Mapping[str, _Meaning], language: str, engine: str) -> Segment:
    meaning = meanings.get(sentence.text) or _Meaning(text=clean(sentence.text))
    return Segment(
        start_ms=sentence.start_ms,
        end_ms=sentence.end_ms,
        text=meaning.text,
        words=tuple(
            replace(word, speaker=sentence.speaker) for word in spread(meaning.text, sentence, language)
        ),
        marks=meaning.marks,
        engine=engine,
        again=meaning.again,
    )
