"""The sinusoidal table by which a transformer tells positions apart, held against its formula. Pure.

transformers computes the table when a model is made and does not store it; a version that does not fit the
model's own code leaves it as raw memory, and translations are silently wrong.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

__all__ = ["first_wrong_position", "sinusoid", "wrong_positions"]

_TOLERANCE = 0.01
"""bfloat16 keeps 1.0 to 0.004, and single precision an angle of 1000 to less than that."""


def sinusoid(position: int, width: int) -> list[float]:
    """Return the table's row: the sines of all frequencies, then the cosines, a zero where `width` is odd.

    The frequencies fall from 1 to 1/10000 geometrically. As in fairseq (sinusoidal_positional_embedding.py,
    get_embedding), which differs from section 3.5 of Vaswani et al. 2017 in the order and the last frequency.
    """
    half = width // 2
    step = math.log(10_000) / (half - 1)
    angles = [position * math.exp(-step * index) for index in range(half)]
    return [*map(math.sin, angles), *map(math.cos, angles), *([0.0] * (width % 2))]


def first_wrong_position(table: Sequence[Sequence[float]], padding: int) -> int | None:
    """Return the first row that is not the formula's, None where all are; the row of `padding` is zero."""
    for position, row in enumerate(table):
        meant = [0.0] * len(row) if position == padding else sinusoid(position, len(row))
        # Written so that a NaN, which is no smaller than anything, is wrong too.
        if not all(abs(found - expected) <= _TOLERANCE for found, expected in zip(row, meant, strict=True)):
            return position
    return None


def wrong_positions(model: Any) -> str:
    """Return what is wrong with the tables of positions of a transformers model; empty where nothing is."""
    tables = {name: buffer for name, buffer in model.named_buffers() if "embed_positions" in name}
    for name, table in tables.items():
        row = first_wrong_position(table.float().tolist(), model.config.pad_token_id)
        if row is not None:
            return f"row {row} of {name} is not the formula's"
    return "" if tables else "there is none"
