"""Marks what was heard nearly as the glossary writes it: `Gabar` where it has `Gabbar`. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from protocol.jobs.glossary import Term
from protocol.languages import UNSPACED, read_tag
from protocol.subtitles.doubts import TERM
from protocol.timeline import Segment, Transcript
from workers.text.glossary.finding import TermFinder, composed
from workers.text.glossary.likeness import folded, may_be_one_name, skeleton

__all__ = ["HeardTerms", "mark_spellings"]

_NAMED = 8


@dataclass(frozen=True, kw_only=True)
class HeardTerms:
    """A transcript with its marks, and what a person is told of them."""

    transcript: Transcript
    notes: tuple[str, ...] = ()


def mark_spellings(transcript: Transcript, terms: Sequence[str]) -> HeardTerms:
    """Return the transcript with a mark on each segment in which a term may be spelt otherwise.

    In a script with capitals only a word with a capital may be a name. Words of a term of several words are
    looked for one by one. In languages without spaces nothing is.
    """
    if not terms or read_tag(transcript.language).language in UNSPACED:
        return HeardTerms(transcript=transcript)
    known = _Known(terms)
    heard: Counter[tuple[str, str]] = Counter()
    segments = []
    for segment in transcript.segments:
        found = known.spelt_otherwise(segment, transcript.language_of(segment))
        heard.update(found)
        marks = tuple(sorted({*segment.marks, TERM})) if found else segment.marks
        segments.append(replace(segment, marks=marks))
    return HeardTerms(
        transcript=replace(transcript, segments=tuple(segments)), notes=(_told(heard),) if heard else ()
    )


class _Known:
    """The words of the terms, by the first letters of their skeletons: a film has ten thousand words."""

    def __init__(self, terms: Sequence[str]) -> None:
        self._terms = tuple(Term(source=term) for term in terms)
        self._words: dict[str, list[str]] = {}
        parts = dict.fromkeys(word for term in terms for word, _, _ in _words_of(composed(term)))
        for part in parts:
            self._words.setdefault(skeleton(part)[:1], []).append(part)
        self._folded = {folded(part) for part in parts}

    def spelt_otherwise(self, segment: Segment, language: str) -> list[tuple[str, str]]:
        """Return the words of a segment that may be words of terms, each with the term's own."""
        text = composed(segment.text)
        right = list(TermFinder(self._terms, language).find(text))
        found = []
        for word, start, end in _words_of(text):
            inside = any(one.start <= start and end <= one.end for one in right)
            if inside or folded(word) in self._folded or not _may_be_name(word):
                continue
            alike = self._words.get(skeleton(word)[:1], ())
            near = [known for known in alike if may_be_one_name(known, word)]
            found += [(word, known) for known in near[:1]]
        return found


def _words_of(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield the words of a text with their places, without the marks around them."""
    for match in re.finditer(r"\S+", text):
        start, end = match.span()
        while start < end and not _is_inner(text[start]):
            start += 1
        while start < end and not _is_inner(text[end - 1]):
            end -= 1
        word = re.sub("['\u2019]s$", "", text[start:end])
        if word:
            yield word, start, start + len(word)


def _is_inner(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"


def _may_be_name(word: str) -> bool:
    return word[:1] != word[:1].lower() or word.lower() == word.upper()


def _told(heard: Counter[tuple[str, str]]) -> str:
    ordered = heard.most_common()
    named = [
        f"{word} for {known}" + (f" ({times})" if times > 1 else "")
        for (word, known), times in ordered[:_NAMED]
    ]
    more = f" and {len(ordered) - _NAMED} others" if len(ordered) > _NAMED else ""
    return f"heard otherwise: {', '.join(named)}{more}"
