"""Checks the sinusoidal table, by which a transformer tells positions apart, against its formula. Pure.

transformers computes the table when it makes a model, and does not store it. A version that does not fit the
model's own code leaves raw memory there: then translations are wrong, and no error says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

__all__ = ["first_wrong_position", "sinusoid", "wrong_positions"]

_TOLERANCE = 0.01
"""bfloat16 has 1.0 exact to 0.004, and single precision an angle of 1000 to less than that."""


def sinusoid(position: int, width: int) -> list[float]:
    """Return a row of the table: the sines of all frequencies, the cosines, and a zero where `width` is odd.

    The frequencies fall from 1 to 1/10000, each by the same factor. The formula is fairseq's
    (sinusoidal_positional_embedding.py, get_embedding); section 3.5 of Vaswani et al. 2017 has another order
    and another last frequency.
    """
    half = width // 2
    step = math.log(10_000) / (half - 1)
    angles = [position * math.exp(-step * index) for index in range(half)]
    return [*map(math.sin, angles), *map(math.cos, angles), *([0.0] * (width % 2))]


def first_wrong_position(table: Sequence[Sequence[float]], padding: int) -> int | None:
    """Return the first row that differs from the formula, None where no row does; row `padding` is zero."""
    for position, row in enumerate(table):
        meant = [0.0] * len(row) if position == padding else sinusoid(position, len(row))
        # Written in this way so that a NaN, which is never smaller, is wrong too.
        if not all(abs(found - expected) <= _TOLERANCE for found, expected in zip(row, meant, strict=True)):
            return position
    return None


def wrong_positions(model: Any) -> str:
    """Return what is wrong with the tables of positions of a model of transformers; empty: nothing is."""
    tables = {name: buffer for name, buffer in model.named_buffers() if "embed_positions" in name}
    for name, table in tables.items():
        row = first_wrong_position(table.float().tolist(), model.config.pad_token_id)
        if row is not None:
            return f"row {row} of {name} differs from the formula"
    return "" if tables else "the model has none"
