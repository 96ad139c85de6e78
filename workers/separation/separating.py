"""A film's voices, by any model that takes pieces of its sound: all of them, or those that are in doubt.

Memory does not grow with the film: its sound is read in blocks, and goes through the model in pieces.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol.errors import ResourceError, UsageError
from protocol.stages.separate import SeparateRequest, SeparateResult
from protocol.timeline import Span
from workers.engine import Context
from workers.separation.doubtful import FRAMES_A_SECOND, clear_seconds, doubtful_seconds, stretches
from workers.separation.narrow import (
    NarrowFile,
    beside,
    loudness_of,
    narrow_length,
    open_narrow,
    put,
    read_narrow,
)
from workers.separation.pieces import SAMPLE_RATE, FilmPiece, choose_cut
from workers.separation.resampling import TARGET_RATE
from workers.separation.stereo import Loudness, StereoSound
from workers.separation.voices import Compute, voices
from workers.torch_devices import TorchLanes, is_out_of_memory

__all__ = ["Method", "resource_errors", "separate"]

_NAME = "vocals.wav"
_FOUND = "found.wav"
"""The voices, until they are mixed with the film's own sound."""
_MEASURE_SHARE = 0.05
"""The part of a call's time that measuring takes, for progress."""
_MIX_SHARE = 0.05
_FADE = TARGET_RATE // 2
"""The samples over which one sound goes into the other."""


@dataclass(frozen=True, kw_only=True)
class Method:
    """How a model separates."""

    segment: int
    """The length of the sound that it was trained with, in samples."""
    compute: Callable[[Any], Any]
    """From a batch to its voices; both float32 of the shape (pieces, 2, samples)."""
    lanes: TorchLanes
    batch_size: int
    normalises: bool
    """It wants the film's sound with a mean of 0 and a deviation of 1."""
    rest: float = 0.0
    """What stays of the rest under the voices: a recogniser does better with little of it than with none."""


def separate(
    request: SeparateRequest, context: Context, sound: StereoSound, method: Method
) -> SeparateResult:
    """Write `vocals.wav` as the request asks for it, and return the stage's result."""
    in_doubt = request.when == "auto"
    count, spans = (_where_in_doubt if in_doubt else _everywhere)(request, context, sound, method)
    duration_ms = round(count * 1000 / TARGET_RATE)
    return SeparateResult(
        vocals=context.publish(_NAME),
        duration_ms=duration_ms,
        model=request.model,
        device=method.lanes.where.device,
        separated=spans,
        notes=(_note(spans, duration_ms),) if in_doubt else (),
    )


def _note(spans: tuple[Span, ...], duration_ms: int) -> str:
    if not spans:
        return "the voices stand out of the film's sound, which is used as it is"
    taken_ms = sum(span.end_ms - span.start_ms for span in spans)
    share = max(1, round(100 * taken_ms / duration_ms))
    return f"{share} % of the film's sound separated, where the voices do not stand out of the rest"


def _everywhere(
    request: SeparateRequest, context: Context, sound: StereoSound, method: Method
) -> tuple[int, tuple[Span, ...]]:
    loudness = _measure(sound, context, method)
    with NarrowFile(context.output(_NAME)) as file:
        for block in _voices(request, context, sound, method, loudness):
            file.feed(block)
    return file.count, ()


def _where_in_doubt(
    request: SeparateRequest, context: Context, sound: StereoSound, method: Method
) -> tuple[int, tuple[Span, ...]]:
    """Separate what is not clear by its loudness alone; then use that where the voices do not stand out.

    Where nothing is to be separated, `vocals.wav` is the film's own sound byte for byte; where everything is,
    what it is without `auto`.
    """
    if request.own is None:
        message = "The film's own sound is needed to separate the voices where they are in doubt."
        raise UsageError(message, "Submit the film again.")
    own, found, target = context.input(request.own), context.output(_FOUND), context.output(_NAME)
    count = narrow_length(own)
    clear = clear_seconds([level for block in read_narrow(own) for level in loudness_of(block, raised=True)])
    doubtful = [False]
    if not all(clear):
        _find(request, context, sound, method, clear, found)
        doubtful = doubtful_seconds(*_levels(own, found, clear, method.rest), clear)
    if any(doubtful):
        context.progress(1 - _MIX_SHARE, "mixing the voices with the film's sound")
        _mix(own, found, target, doubtful)
    else:
        shutil.copyfile(own, target)
    found.unlink(missing_ok=True)
    return count, stretches(doubtful, round(count * 1000 / TARGET_RATE))


def _find(
    request: SeparateRequest,
    context: Context,
    sound: StereoSound,
    method: Method,
    clear: Sequence[bool],
    target: Path,
) -> None:
    """Write the voices of the pieces that are not clear, and silence elsewhere."""

    def is_needed(piece: FilmPiece) -> bool:
        seconds = slice(piece.start // SAMPLE_RATE, -(-(piece.start + piece.length) // SAMPLE_RATE))
        return not all(clear[seconds])

    loudness = _measure(sound, context, method)
    with NarrowFile(target) as file:
        for block in _voices(request, context, sound, method, loudness, is_needed):
            file.feed(block)


def _measure(sound: StereoSound, context: Context, method: Method) -> Loudness:
    """Read the whole sound once, so that a damaged one is refused before the work begins."""

    def tell(share: float) -> None:
        context.progress(share * _MEASURE_SHARE, "measuring the sound")

    loudness = sound.measure(tell)
    return loudness if method.normalises else Loudness(mean=0.0, deviation=1.0, length=loudness.length)


def _voices(
    request: SeparateRequest,
    context: Context,
    sound: StereoSound,
    method: Method,
    loudness: Loudness,
    is_needed: Callable[[FilmPiece], bool] = lambda _: True,
) -> Iterator[Any]:
    """Yield the voices in blocks, with what stays of the rest."""
    cut = choose_cut(request, method.segment)
    return voices(
        sound,
        loudness,
        list(filter(is_needed, cut.pieces(loudness.length))),
        cut.segment,
        method.batch_size,
        _computing(context, method),
    )


def _computing(context: Context, method: Method) -> Compute:
    def work(batch: Any, _check: Callable[[], None]) -> Any:
        found = method.compute(batch)
        return found + method.rest * (batch - found) if method.rest else found

    def compute(batches: Iterable[Any], count: int) -> Iterator[Any]:
        def tick(done: int) -> None:
            share = _MEASURE_SHARE + (1 - _MEASURE_SHARE - _MIX_SHARE) * done / max(1, count)
            context.progress(share, "separating the voices")

        return method.lanes.side_by_side(work, batches, count, tick)

    return compute


def _levels(own: Path, found: Path, clear: Sequence[bool], kept: float) -> tuple[list[float], list[float]]:
    """Return the loudness of the voices and of the rest in each frame; what is clear has no rest.

    `found` holds the voices and the share `kept` of the rest.
    """
    voices: list[float] = []
    rest: list[float] = []
    for whole, mixed in beside(own, found):
        alone = (mixed - kept * whole) / (1 - kept)
        at = len(voices)
        voices += loudness_of(alone)
        rest += loudness_of(whole - alone)
        for place, level in enumerate(loudness_of(whole), start=at):
            if clear[place // FRAMES_A_SECOND]:
                voices[place], rest[place] = level, 0.0
    return voices, rest


def _mix(own: Path, found: Path, target: Path, doubtful: list[bool]) -> None:
    """Write the film's own sound, and the voices in the seconds that are in doubt."""
    import numpy as np

    wanted = np.repeat(np.asarray(doubtful, dtype=np.float32), TARGET_RATE)
    rising = np.ones(_FADE, dtype=np.float32) / _FADE
    place = 0
    with open_narrow(target) as file:
        for whole, voice in beside(own, found):
            # A second more on both sides, so that fades go on over the edges of blocks.
            around = _padded(wanted, place - _FADE, place + len(whole) + _FADE)
            share = np.convolve(around, rising, mode="same")[_FADE : _FADE + len(whole)].clip(0, 1)
            put(file, whole + share * (voice - whole))
            place += len(whole)


def _padded(values: Any, start: int, end: int) -> Any:
    import numpy as np

    inner = values[max(0, start) : end]
    return np.pad(inner, (max(0, -start), end - max(0, start) - len(inner)), mode="edge")


@contextmanager
def resource_errors(device: str) -> Iterator[None]:
    """Raise `ResourceError` where torch runs out of memory, whichever error it raises itself."""
    try:
        yield
    except MemoryError as error:
        raise _no_memory(device) from error
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise _no_memory(device) from error


def _no_memory(device: str) -> ResourceError:
    message = f"The memory of {device} ran out while the voices were separated."
    return ResourceError(message, "Make room on the device, or: --set separate.batch_size=1")
