"""Finds words, or letters of a word, that are repeated many times in a row. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import regex

__all__ = ["Run", "find_runs", "shorten"]

_MOST_WORDS = 100
"""The most words of one repetition: those of a chunk of 30 s, which may come back in each chunk."""
_INSIDE = regex.compile(r"((?:\X){1,4}?)\1{5,}")
"""One to four letters, six times or more in a row."""
_KEPT_INSIDE = 2


@dataclass(frozen=True, kw_only=True)
class Run:
    """The same `size` words `count` times in a row, from the word `first` on."""

    first: int
    size: int
    count: int
    rest: int
    """How many words of one more, unfinished repetition follow."""

    @property
    def stop(self) -> int:
        """Return the index after the last whole repetition."""
        return self.first + self.size * self.count


def find_runs(said: Sequence[str], least: int) -> list[Run]:
    """Return the runs of at least `least` repetitions, in order; no word is in two runs.

    `said` holds the words as they are compared; an empty one equals no other. A run has the shortest possible
    repetition: `no no no no` is one word four times, not two words twice.
    """
    taken = [not word for word in said]
    runs: list[Run] = []
    for size in range(1, min(_MOST_WORDS, len(said) // max(2, least)) + 1):
        at = 0
        while at + size * least <= len(said):
            if said[at] != said[at + size]:
                at += 1
                continue
            same = _same(said, taken, at, size)
            count = same // size + 1
            if same and count >= least:
                runs.append(Run(first=at, size=size, count=count, rest=same % size))
                taken[at : at + same + size] = [True] * (same + size)
            at += same + 1
    return sorted(runs, key=lambda run: run.first)


def _same(said: Sequence[str], taken: Sequence[bool], at: int, size: int) -> int:
    """Return how many words from `at` on equal the words `size` places later."""
    end = at
    while end + size < len(said) and said[end] == said[end + size] and not (taken[end] or taken[end + size]):
        end += 1
    return end - at


def shorten(word: str) -> str:
    """Return the word; letters that it repeats six times or more are left only twice."""
    return str(_INSIDE.sub(lambda found: found[1] * _KEPT_INSIDE, word))
