"""Keeps mlx-whisper's decoder from repeating itself: the library has no filter for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["NoRepeat", "repeating"]


@dataclass(frozen=True)
class NoRepeat:
    """A `mlx_whisper.decoding.LogitFilter`: no run of `length` tokens comes twice.

    The first `begin` tokens are the prompt; the text may repeat what is in it.
    """

    length: int
    begin: int

    def apply(self, logits: Any, tokens: Any) -> Any:
        """Return the logits with minus infinity for tokens that would repeat a run.

        `logits` has the shape (n, vocabulary), `tokens` the shape (n, tokens so far).
        """
        import mlx.core as mx
        import numpy as np

        said = [repeating(sequence[self.begin :], self.length) for sequence in tokens.tolist()]
        if not any(said):
            return logits
        mask = np.zeros(logits.shape, np.float32)
        for row, forbidden in enumerate(said):
            mask[row, sorted(forbidden)] = -np.inf
        return logits + mx.array(mask)


def repeating(tokens: Sequence[int], length: int) -> set[int]:
    """Return the tokens that would repeat a run of `length` tokens if one of them came next. Pure."""
    if len(tokens) < length:
        return set()
    last = list(tokens[len(tokens) - length + 1 :])
    return {
        tokens[at + length - 1]
        for at in range(len(tokens) - length + 1)
        if list(tokens[at : at + length - 1]) == last
    }
