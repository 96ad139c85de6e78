"""Puts texts of about one length into a batch, so that little of the batch is padding. Pure."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["by_length"]


def by_length(texts: Sequence[str], batch_size: int) -> list[list[int]]:
    """Return the indices of `texts` in batches of at most `batch_size`, the longest texts first.

    The largest batch comes first: if it does not fit into memory, that shows at once. Texts of one length
    keep their order.
    """
    size = max(1, batch_size)
    order = sorted(range(len(texts)), key=lambda index: -len(texts[index]))
    return [order[at : at + size] for at in range(0, len(order), size)]
