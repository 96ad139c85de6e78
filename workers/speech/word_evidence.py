"""What the words of a sentence say for or against it: how probable they are, how fast they come. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from protocol.timeline import Word

__all__ = ["crammed", "mean_logprob"]

_LEAST_PROBABILITY = 0.01
"""A lower probability counts as this one: one impossible word must not outweigh ten possible ones."""
_LONG_MS = 2_000
_FEWEST_LETTERS = 8
"""Shorter sentences are not judged by their rate: the aligner may give `Yes.` only 60 ms."""


def mean_logprob(words: Iterable[Word]) -> float | None:
    """Return the mean log probability of the words (natural logarithm); None where none has one."""
    known = [word.probability for word in words if word.probability is not None]
    if not known:
        return None
    return sum(math.log(max(probability, _LEAST_PROBABILITY)) for probability in known) / len(known)


def crammed(words: Sequence[Word], most_per_second: float, weigh: Callable[[Sequence[Word]], int]) -> float:
    """Return the sentence's letters a second; 0.0 if somebody can say it, or it is too short to judge.

    `weigh` counts the letters of words. Words that are too long do not count: the first word of a
    hallucination often takes all of the silence, and the others share the rest. If less than half of the
    sentence counts, it is not judged: an aligner that gives one word too much time leaves its neighbours too
    little.
    """
    timed = [word for word in words if word.end_ms - word.start_ms <= _LONG_MS]
    letters = weigh(timed)
    if letters < _FEWEST_LETTERS or letters * 2 < weigh(words):
        return 0.0
    spent = sum(max(0, word.end_ms - word.start_ms) for word in timed)
    rate = letters * 1_000 / max(1, spent)
    return rate if rate > most_per_second else 0.0
