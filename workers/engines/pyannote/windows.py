"""A film in windows of ten seconds: which of three voices at most speak in each, and how they sound."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from workers.engine import Models
from workers.engines.pyannote.campplus import EMBEDDING, FEATURE_MS, Campplus, features_of
from workers.placement import Placement
from workers.speech.sound import SAMPLE_RATE, Sound
from workers.torch_devices import TorchLanes

__all__ = ["LEAST_ALONE_S", "HeardWindows", "VoiceNetworks", "hear_windows"]

_STEP_FRAMES = 119
"""From one window to the next: 2.0 s. Five of them hear each moment, and frames fall on frames."""
_AT_ONCE = 4
"""Windows in a piece of work: one every few seconds on one core, so that a cancelled call ends soon."""
_AT_ONCE_ON_GPU = 32
LEAST_ALONE_S = 0.4
"""A piece with less sound of one voice alone has no embedding."""
_LONGEST_S = 2.5


@dataclass(frozen=True, kw_only=True)
class VoiceNetworks:
    """Both networks on their device."""

    segmentation: Any
    """A `pyannote.audio.Model` that tells sets of speakers (a powerset) in a window."""
    to_speakers: Any
    """From its log probabilities (windows, frames, sets) to 0 or 1 (windows, frames, speakers)."""
    embedding: Campplus
    device: str

    @property
    def window(self) -> int:
        """Return the length of a window in samples."""
        length: int = round(self.segmentation.specifications.duration * SAMPLE_RATE)
        return length

    @property
    def frame(self) -> int:
        """Return the distance from one frame to the next in samples."""
        length: int = round(self.segmentation.receptive_field.step * SAMPLE_RATE)
        return length

    @property
    def first_ms(self) -> float:
        """Return the middle of a window's first frame."""
        return float(self.segmentation.receptive_field[0].middle * 1000)


@dataclass(frozen=True, kw_only=True)
class HeardWindows:
    """What was heard in each window: its voices have numbers of their own, 0 to 2.

    What a voice says is in pieces of a few seconds: the segmentation takes two people for one voice now and
    then, most of all where they take turns.
    """

    active: Any
    """Whether a voice speaks, bool (windows, frames, 3)."""
    pieces: Any
    """The window, the voice, the first frame in that window and the one after the last, int (pieces, 4)."""
    embeddings: Any
    """Float32 (pieces, 192), each of length 1; not a number where a piece has too little sound."""
    alone_s: Any
    """For how long the voice speaks in the piece while the others are silent, float32 (pieces,)."""
    step: int
    """From one window to the next, in frames."""
    frame_ms: float
    first_ms: float
    duration_ms: int
    """The length of the sound; no voice speaks after it."""


def hear_windows(
    networks: VoiceNetworks, sound: Sound, models: Models, batch_size: int, progress: Callable[[float], None]
) -> HeardWindows:
    """Return what is heard in the whole sound; `progress` is called with 0 to 1.

    A film of three hours takes 50 MB: samples are read when their window is heard, and not kept.
    """
    import numpy as np

    step = _STEP_FRAMES * networks.frame
    starts = range(0, max(1, sound.sample_count - networks.window + step), step)
    on_gpu = not networks.device.startswith("cpu")
    size = batch_size or (_AT_ONCE_ON_GPU if on_gpu else _AT_ONCE)
    batches = [starts[first : first + size] for first in range(0, len(starts), size)]

    def listen(batch: range, check: Callable[[], None]) -> tuple[Any, ...]:
        return _listen(networks, sound, batch, check)

    lanes = TorchLanes(models=models, where=Placement(device=networks.device, compute_type="float32"))
    found = lanes.side_by_side(listen, batches, len(batches), lambda done: progress(done / len(batches)))
    active, pieces, embeddings, alone_s = zip(*found, strict=True)
    for batch, own in zip(batches, pieces, strict=True):
        own[:, 0] += batch.start // step
    return HeardWindows(
        active=np.concatenate(active),
        pieces=np.concatenate(pieces),
        embeddings=np.concatenate(embeddings),
        alone_s=np.concatenate(alone_s),
        step=_STEP_FRAMES,
        frame_ms=networks.frame * 1000 / SAMPLE_RATE,
        first_ms=networks.first_ms,
        duration_ms=sound.duration_ms,
    )


def _listen(
    networks: VoiceNetworks, sound: Sound, starts: range, check: Callable[[], None]
) -> tuple[Any, ...]:
    """Return the fields `active`, `pieces`, `embeddings` and `alone_s` of these windows."""
    import numpy as np
    import torch

    windows = np.stack([_window(sound, start, networks.window) for start in starts])
    with torch.inference_mode():
        scores = networks.segmentation(torch.from_numpy(windows).unsqueeze(1).to(networks.device))
        active = networks.to_speakers(scores).cpu().numpy() > 0.5
    longest = round(_LONGEST_S * SAMPLE_RATE / networks.frame)
    pieces = np.array(list(_pieces(active, longest)), dtype=np.int64).reshape(-1, 4)
    alone = active & (active.sum(axis=2, keepdims=True) == 1)
    embeddings = np.full((len(pieces), EMBEDDING), np.nan, dtype=np.float32)
    alone_s = np.zeros(len(pieces), np.float32)
    rows: Any = None
    frames: Any = None
    of = -1
    for number, (window, voice, first, last) in enumerate(pieces):
        mask = np.zeros(alone.shape[1], bool)
        mask[first:last] = alone[window, first:last, voice]
        alone_s[number] = mask.sum() * networks.frame / SAMPLE_RATE
        if alone_s[number] < LEAST_ALONE_S:
            continue
        check()
        if of != window:
            rows, of = features_of(windows[window]), window
            frames = _frames_of_rows(len(rows), networks.frame, alone.shape[1])
        embeddings[number] = networks.embedding.embed(rows[torch.from_numpy(mask[frames])])
    return active, pieces, embeddings, alone_s


def _pieces(active: Any, longest: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield the pieces of the windows: a voice from where it begins to where it pauses, or a part of that."""
    import numpy as np

    for window, voice in itertools.product(range(active.shape[0]), range(active.shape[2])):
        speaks = active[window, :, voice].astype(np.int8)
        edges = np.flatnonzero(np.diff(speaks, prepend=0, append=0)).tolist()
        for first, last in zip(edges[::2], edges[1::2], strict=True):
            parts = -(-(last - first) // longest)
            cuts = [first + (last - first) * part // parts for part in range(parts + 1)]
            for begin, end in itertools.pairwise(cuts):
                yield window, voice, begin, end


def _window(sound: Sound, start: int, length: int) -> Any:
    """Return the samples of a window, with silence after the sound's end."""
    import numpy as np

    samples = sound.samples(start, length)
    return np.pad(samples, (0, length - len(samples)))


def _frames_of_rows(rows: int, frame: int, frames: int) -> Any:
    """Return for each row of features the frame that it lies in."""
    import numpy as np

    samples = np.arange(rows) * (FEATURE_MS * SAMPLE_RATE // 1000)
    return np.minimum(samples // frame, frames - 1)
