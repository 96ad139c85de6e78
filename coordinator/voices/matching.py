"""Which voices of a film are known already. Pure.

An embedding is a list of floats of length 1 (L2), so that the cosine of two is the sum of their products. For
a film's handful of voices plain Python is quick enough: a million products take 0.05 s.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from protocol.jobs.voices import SaidName, Voice, Voices

__all__ = ["LEAST_LEAD", "LEAST_LIKENESS", "centre", "is_same", "known_names", "likeness", "said_names"]

LEAST_LIKENESS = 0.65
"""Voices that are less alike are of two people: docs/adr/0037-names-of-voices.md has the measurement."""
LEAST_LEAD = 0.1
"""A voice that is hardly more like one name than like another gets neither."""

_SAME = 0.999
"""Of the same sound heard once more, by the same program with the same settings."""


def likeness(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the cosine of two embeddings of length 1; 0 where they are of different models."""
    if len(one) != len(other):
        return 0.0
    return math.fsum(left * right for left, right in zip(one, other, strict=True))


def centre(embeddings: Iterable[tuple[Sequence[float], float]]) -> tuple[float, ...]:
    """Return the mean of embeddings by their weights, of length 1; empty where there is none."""
    total: list[float] = []
    for embedding, weight in embeddings:
        total = total or [0.0] * len(embedding)
        if len(total) == len(embedding):
            total = [sum_so_far + weight * value for sum_so_far, value in zip(total, embedding, strict=True)]
    length = math.sqrt(math.fsum(value * value for value in total))
    return tuple(value / length for value in total) if length else ()


def is_same(one: Sequence[float], other: Sequence[float]) -> bool:
    """Return whether two embeddings are of one voice in one film, not only of one person."""
    return likeness(one, other) >= _SAME


def said_names(said: Sequence[SaidName], heard: Voices) -> dict[str, str]:
    """Return the id of each voice of a film that a person has named, with its name, which may be empty.

    A voice that is as it was when it was named has its own name. Where the voices have been told apart anew
    since, a name goes to the voice that is like the one that was named, or is lost.
    """
    now = {voice.id: voice for voice in heard.voices}
    own = {name.id: name.name for name in said if _is_as_it_was(name, now.get(name.id), heard.model)}
    left = [name for name in said if name.id not in own and name.model == heard.model and name.embedding]
    voices = [voice for voice in heard.voices if voice.id not in own]
    matched = known_names(voices, {name.id: name.embedding for name in left})
    names = {name.id: name.name for name in left}
    return own | {voice: names[before] for voice, (before, _) in matched.items()}


def _is_as_it_was(name: SaidName, voice: Voice | None, model: str) -> bool:
    if voice is None:
        return not name.embedding and name.model == model
    return name.model == model and is_same(name.embedding, voice.embedding)


def known_names(
    voices: Sequence[Voice], known: Mapping[str, Sequence[float]]
) -> dict[str, tuple[str, float]]:
    """Return the voice's id to the name of the known voice that it is, and how alike they are.

    The most alike are paired first; a name goes to one voice at most. A voice gets no name where no known
    voice is as like it as `LEAST_LIKENESS`, or where two are about as like it.
    """
    pairs = sorted(
        (
            (likeness(voice.embedding, embedding), voice.id, name)
            for voice in voices
            for name, embedding in known.items()
        ),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    found: dict[str, tuple[str, float]] = {}
    for alike, voice, name in pairs:
        taken = voice in found or name in {given for given, _ in found.values()}
        if alike >= LEAST_LIKENESS and not taken and _leads(alike, voice, name, pairs):
            found[voice] = (name, alike)
    return found


def _leads(alike: float, voice: str, name: str, pairs: Sequence[tuple[float, str, str]]) -> bool:
    others = (other for other, own, called in pairs if own == voice and called != name)
    return alike - max(others, default=-1.0) >= LEAST_LEAD
