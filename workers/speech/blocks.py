"""pyannote's segmentation over a film of any length: in blocks that join without a seam."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from workers.speech.sound import SAMPLE_RATE, Sound
from workers.speech.voice_activity import Scores

__all__ = ["BLOCK_SAMPLES", "Block", "Grid", "score_in_blocks"]

BLOCK_SAMPLES = 300 * SAMPLE_RATE
"""At least 5 min: a cancelled film stops soon, and memory does not grow with the film."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """What of the sound goes through the model at once; in samples and frames."""

    first: int
    count: int
    """More than the file has, at its end."""
    skip: int
    """So many of its first frames the block before has given."""
    keep: int | None
    """So many are this block's own; None: all that there are."""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """How a model hears, in samples.

    Blocks that start where both a window and a frame start, with more than a window of each neighbour, give
    the scores of one pass.
    """

    frame: int
    """From one score to the next."""
    step: int
    """From one window to the next."""
    window: int

    @property
    def _mesh(self) -> int:
        return math.lcm(self.frame, self.step)

    @property
    def margin(self) -> int:
        """Return how much of each neighbour a block hears."""
        return -(-self.window // self._mesh) * self._mesh

    @property
    def block(self) -> int:
        """Return how long a block is without its margins."""
        return -(-BLOCK_SAMPLES // self._mesh) * self._mesh

    def blocks(self, sample_count: int) -> Iterator[Block]:
        """Yield the blocks of a sound, in order."""
        for start in range(0, sample_count, self.block):
            before = min(start, self.margin)
            last = start + self.block >= sample_count
            yield Block(
                first=start - before,
                count=before + self.block + self.margin,
                skip=before // self.frame,
                keep=None if last else self.block // self.frame,
            )


def score_in_blocks(
    sound: Sound,
    grid: Grid,
    score: Callable[[Any, Callable[[float], None]], Any],
    progress: Callable[[float], None],
) -> Scores:
    """Return the scores of the whole sound; what is no number counts as 0.

    `score` takes a block's samples (float32, shape (n,)) and a function to call with the share done of it,
    and returns a `pyannote.core.SlidingWindowFeature` of shape (frames, 1). `progress` is called with 0 to 1.
    """
    import numpy as np

    values = array("f")
    frames: Any = None
    blocks = list(grid.blocks(sound.sample_count))
    for number, block in enumerate(blocks):

        def done(share: float, number: int = number) -> None:
            progress((number + share) / len(blocks))

        done(0.0)
        scores = score(sound.samples(block.first, block.count), done)
        frames = scores.sliding_window if frames is None else frames
        own = scores.data[block.skip :, 0][: block.keep]
        values.frombytes(np.nan_to_num(own).astype(np.float32).tobytes())
    return Scores(
        values=values,
        first_ms=0.0 if frames is None else frames[0].middle * 1000,
        step_ms=1.0 if frames is None else frames.step * 1000,
        duration_ms=sound.duration_ms,
    )
