"""Whether a translation has the terms of its sentence as the glossary writes them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from protocol.jobs.glossary import Term
from protocol.stages.translate import TranslateRequest
from protocol.subtitles.doubts import TERM, UNTRANSLATED
from protocol.timeline import Segment
from workers.text.glossary.finding import TermFinder, composed, has_words

__all__ = ["CHANGED", "FOUND", "MISSING", "mark_terms", "state_of"]

FOUND, CHANGED, MISSING = "found", "changed", "missing"
_ENDING = 3
"""So many letters and signs may follow a word: Gabbars, Gabbaren."""
_ENDED_LETTERS = 4
"""A shorter word with an ending is another word: Jai, jail."""
_ALIKE = 0.7
_TOLD = 5
_STATES = (FOUND, CHANGED, MISSING)


def state_of(term: Term, translation: str, language: str) -> str:
    """Return `found`, `changed` where the translation has a word much alike, or `missing`.

    Its case does not matter, nor an ending that the language adds.
    """
    text, target = composed(translation), composed(term.written)
    if has_words(text, target, language, _ENDING if len(target) >= _ENDED_LETTERS else 0):
        return FOUND
    words, size = text.split(), len(target.split())
    windows = (" ".join(words[place : place + size]) for place in range(len(words)))
    return CHANGED if any(_alike(window, target) for window in windows) else MISSING


def _alike(one: str, other: str) -> bool:
    matcher = SequenceMatcher(None, one.casefold().strip(".,!?;:\"'()"), other.casefold(), autojunk=False)
    return matcher.quick_ratio() >= _ALIKE and matcher.ratio() >= _ALIKE


def mark_terms(
    segments: Sequence[Segment], said: Mapping[tuple[int, int], str], request: TranslateRequest
) -> tuple[list[Segment], tuple[str, ...]]:
    """Return the segments with the mark `term` where one is not as in the glossary, and a note that counts.

    `said` is the sentence of each segment by its times. A term counts once in a sentence.
    """
    finder = TermFinder(request.glossary, request.source_language)
    counts: Counter[tuple[str, Term]] = Counter()
    marked = []
    for segment in segments:
        states = {} if UNTRANSLATED in segment.marks else _states(segment, said, finder, request)
        counts.update((state, term) for term, state in states.items())
        doubt = {TERM} if set(states.values()) - {FOUND} else set()
        marked.append(replace(segment, marks=tuple(sorted({*segment.marks, *doubt}))) if doubt else segment)
    return marked, _note(counts)


def _states(
    segment: Segment, said: Mapping[tuple[int, int], str], finder: TermFinder, request: TranslateRequest
) -> dict[Term, str]:
    sentence = composed(said.get((segment.start_ms, segment.end_ms), ""))
    if sentence == composed(segment.text):
        # Nobody translated it: it is in the target's language.
        return {}
    terms = {found.term: None for found in finder.find(sentence)}
    return {term: state_of(term, segment.text, request.target_language) for term in terms}


def _note(counts: Counter[tuple[str, Term]]) -> tuple[str, ...]:
    if not counts:
        return ()
    of: dict[str, Counter[Term]] = {state: Counter() for state in _STATES}
    for (state, term), number in counts.items():
        of[state][term] = number
    told = [f"{sum(of[FOUND].values())} of {sum(counts.values())} terms as in the glossary"]
    told += [f"{_named(of[state].most_common())} {state}" for state in (CHANGED, MISSING) if of[state]]
    return (", ".join(told),)


def _named(counted: Iterable[tuple[Term, int]]) -> str:
    """Return `3 (Gabbar, Ramgarh)`."""
    pairs = list(counted)
    names = sorted(term.source for term, _ in pairs[:_TOLD])
    more = " ..." if len(pairs) > _TOLD else ""
    return f"{sum(number for _, number in pairs)} ({', '.join(names)}{more})"
