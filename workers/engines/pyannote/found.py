"""What a way of telling speakers apart finds, and how its speakers get the numbers that people see. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from protocol.timeline import Speaker, Turn

__all__ = ["Found", "numbered", "speakers_of"]


@dataclass(frozen=True, kw_only=True)
class Found:
    """Who speaks when."""

    timeline: tuple[Turn, ...]
    """In order; two may speak at once."""
    exclusive: tuple[Turn, ...]
    """In order; one speaks at most."""
    embeddings: Mapping[str, Any] = field(default_factory=dict)
    """By speaker: a float array; of no length where the way has none."""
    nameless_ms: int = 0
    """For how long somebody speaks of whom nobody knows who it is."""


def numbered(found: Found) -> Found:
    """Return the same with `1` for who speaks first, `2` for the next one, and so on."""
    order: dict[str, str] = {}
    for turn in (*_in_order(found.exclusive), *_in_order(found.timeline)):
        order.setdefault(turn.speaker, str(len(order) + 1))
    return replace(
        found,
        timeline=_renamed(found.timeline, order),
        exclusive=_renamed(found.exclusive, order),
        embeddings={order[name]: vector for name, vector in found.embeddings.items() if name in order},
    )


def speakers_of(turns: Sequence[Turn]) -> tuple[Speaker, ...]:
    """Return the speakers of the turns by their numbers, with the time of their turns."""
    spoken: Counter[str] = Counter()
    for turn in turns:
        spoken[turn.speaker] += turn.end_ms - turn.start_ms
    return tuple(Speaker(id=name, speech_ms=spoken[name]) for name in sorted(spoken, key=int))


def _in_order(turns: Sequence[Turn]) -> list[Turn]:
    return sorted(turns, key=lambda turn: (turn.start_ms, turn.end_ms, turn.speaker))


def _renamed(turns: Sequence[Turn], order: Mapping[str, str]) -> tuple[Turn, ...]:
    return tuple(_in_order([replace(turn, speaker=order[turn.speaker]) for turn in turns]))
