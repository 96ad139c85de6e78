"""No same words twice: a filter for mlx-whisper's decoder, which has none of the kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["NoRepeat", "repeating"]


@dataclass(frozen=True)
class NoRepeat:
    """A `mlx_whisper.decoding.LogitFilter`: no run of `length` tokens comes twice.

    The first `begin` tokens are the prompt's; what stands there may be said.
    """

    length: int
    begin: int

    def apply(self, logits: Any, tokens: Any) -> Any:
        """Return the logits, (n, vocabulary), without what would repeat; `tokens` is (n, so far)."""
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
    """Return the tokens that, said next, would end a run of `length` that was said before. Pure."""
    if len(tokens) < length:
        return set()
    last = list(tokens[len(tokens) - length + 1 :])
    return {
        tokens[at + length - 1]
        for at in range(len(tokens) - length + 1)
        if list(tokens[at : at + length - 1]) == last
    }
