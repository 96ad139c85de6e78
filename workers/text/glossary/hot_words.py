"""Which hot words have room in the prompt of a recogniser. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

__all__ = ["BETWEEN", "fitting", "is_echo", "left_out"]

BETWEEN = ", "
"""It stands between hot words in a prompt."""
_NAMED = 5


def fitting(words: Sequence[str], length: Callable[[str], int], room: int) -> tuple[str, ...]:
    """Return the words that have room together, in order; shorter ones than one that has none may have some.

    `length` counts the tokens of a text. A library cuts in the middle of a word.
    """
    if length(BETWEEN.join(words)) <= room:
        return tuple(words)
    kept: list[str] = []
    taken = 0
    for word in words:
        needs = length(word + BETWEEN)
        if taken + needs <= room:
            kept.append(word)
            taken += needs
    return tuple(kept)


def left_out(words: Sequence[str], kept: Sequence[str]) -> tuple[str, ...]:
    """Return a note of the words that had no room; () where all had."""
    left = [word for word in words if word not in kept]
    if not left:
        return ()
    named = ", ".join(left[:_NAMED]) + (" ..." if len(left) > _NAMED else "")
    return (f"{len(left)} of {len(words)} hot words had no room and were not listened for: {named}",)


def is_echo(text: str, hotwords: Sequence[str]) -> bool:
    """Return whether the text has two hot words with nothing but a comma between them.

    That is how they stand in the prompt: a model that understands little of a chunk writes them down.
    """
    parts = [part.strip(" .!?।") for part in text.split(",")]
    known = {word.casefold() for word in hotwords}
    return any(_ends_with(one, known) and _starts_with(other, known) for one, other in pairwise(parts))


def _ends_with(part: str, known: set[str]) -> bool:
    return any(part.casefold() == word or part.casefold().endswith(f" {word}") for word in known)


def _starts_with(part: str, known: set[str]) -> bool:
    return any(part.casefold() == word or part.casefold().startswith(f"{word} ") for word in known)
