"""Scores of a voice activity model over a film of any length, in blocks that join without a seam."""

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
"""A block is at least 5 min long: a cancelled call stops soon, and memory does not grow with the film."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """The part of the sound that goes through the model at once, in samples and frames."""

    first: int
    count: int
    """At the end of the file, more than it has."""
    skip: int
    """The block before has given so many of its first frames."""
    keep: int | None
    """So many frames after those belong to this block; None: all of them."""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """How a model hears, in samples.

    A block starts where both a window and a frame start, and has more than a window of each neighbour: so
    the scores are those of one pass over the whole sound.
    """

    frame: int
    """The distance from one score to the next."""
    step: int
    """The distance from one window to the next."""
    window: int

    @property
    def _mesh(self) -> int:
        return math.lcm(self.frame, self.step)

    @property
    def margin(self) -> int:
        """Return how much of each neighbour is in a block."""
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
    """Return the scores of the whole sound; a score that is not a number counts as 0.

    `score` takes the samples of a block (float32, shape (n,)), and a function to call with the part that is
    done. It returns a `pyannote.core.SlidingWindowFeature` of the shape (frames, 1). `progress` is called
    with 0 to 1.
    """
    import numpy as np

    values = array("f")
    frames: Any = None
    for block in grid.blocks(sound.sample_count):
        start = block.first + block.skip * grid.frame
        own = min(grid.block, sound.sample_count - start)

        def done(share: float, start: int = start, own: int = own) -> None:
            # The models count whole batches of windows: the last one may end behind the block.
            progress((start + min(1.0, share) * own) / sound.sample_count)

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
