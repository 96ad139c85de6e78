"""What a comparison that fails says of long values: where they part, and not what they are."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

__all__ = ["short_difference"]

_LONG = 4_000
"""Characters of both values as Python writes them; pytest shows shorter ones whole."""
_AROUND = 20


def short_difference(left: object, right: object) -> list[str]:
    """Return lines that tell two long sets, texts or sequences apart; none where pytest's own will do."""
    if len(repr(left)) + len(repr(right)) <= _LONG:
        return []
    if isinstance(left, AbstractSet) and isinstance(right, AbstractSet):
        parts = [
            f"{len(only)} only on the {side}: {reprlib.repr(only)}"
            for only, side in ((left - right, "left"), (right - left, "right"))
        ]
        return [f"sets of {len(left)} and {len(right)}", *parts]
    if isinstance(left, Sequence) and isinstance(right, Sequence):
        return _parting(left, right)
    return []


def _parting(left: Sequence[object], right: Sequence[object]) -> list[str]:
    shorter = min(len(left), len(right))
    place = next((place for place in range(shorter) if left[place] != right[place]), shorter)
    sides = [f"{side}: {_at(value, place)}" for value, side in ((left, "left"), (right, "right"))]
    return [f"lengths {len(left)} and {len(right)}, alike up to {place}", *sides]


def _at(value: Sequence[object], place: int) -> str:
    if isinstance(value, (str, bytes, bytearray)):
        return repr(value[max(0, place - _AROUND) : place + _AROUND])
    return reprlib.repr(value[place]) if place < len(value) else "its end"
