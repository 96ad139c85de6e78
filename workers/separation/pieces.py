"""How a film is cut into the pieces that go through the model, and which part of each counts.

The cuts are those of `demucs.apply.apply_model(split=True, shifts=0)`, in samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from protocol.errors import UsageError
from protocol.stages.separate import SeparateRequest

__all__ = ["SAMPLE_RATE", "Cut", "FilmPiece", "choose_cut"]

SAMPLE_RATE = 44_100
_SHORTEST_MS = 1_000
"""A shorter segment gives too little context to a model that was trained with several seconds."""


@dataclass(frozen=True, kw_only=True)
class FilmPiece:
    """A part of the film whose voices one run of the model returns."""

    start: int
    length: int
    """The length of a segment; less at the end of the film."""
    reads_from: int
    """The start of the segment that goes into the model; before 0 and after the film there is silence."""

    @property
    def skip(self) -> int:
        """Return how many samples at the start of the model's output do not belong to this piece."""
        return self.start - self.reads_from


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Segments of `segment` samples; a new one starts every `stride` samples."""

    segment: int
    stride: int

    def pieces(self, length: int) -> Iterator[FilmPiece]:
        """Yield the pieces of a film of `length` samples, in order.

        The segment of a piece that is cut short by the end of the film starts earlier, by half of what is
        missing (`demucs.apply.TensorChunk.padded`).
        """
        for start in range(0, length, self.stride):
            known = min(self.segment, length - start)
            yield FilmPiece(start=start, length=known, reads_from=start - (self.segment - known) // 2)


def choose_cut(request: SeparateRequest, trained: int) -> Cut:
    """Return the cut that the request asks for; `trained` is the model's own segment in samples.

    Raises `UsageError` for what is impossible.
    """
    longest_ms = trained * 1000 // SAMPLE_RATE
    if request.segment_ms and not _SHORTEST_MS <= request.segment_ms <= longest_ms:
        message = f"A segment of {request.segment_ms} ms is not possible with the model {request.model}."
        raise UsageError(message, f"Write 0 or a number from {_SHORTEST_MS} to {longest_ms}.")
    if not 0 <= request.overlap < 1:
        message = f"An overlap of {request.overlap} is not possible."
        raise UsageError(message, "Write a number from 0 to under 1, such as 0.25.")
    if request.batch_size < 0:
        message = f"A batch of {request.batch_size} segments is not possible."
        raise UsageError(message, "Write 0 or a number of segments.")
    segment = request.segment_ms * SAMPLE_RATE // 1000 or trained
    return Cut(segment=segment, stride=max(1, int((1 - request.overlap) * segment)))
