"""How a track's channels become one: ffmpeg's own mix, their plain sum, or one channel alone."""

from __future__ import annotations

import array
import math
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from protocol.errors import InputError
from workers.engines.common.film.probe import Film, open_film
from workers.engines.common.names import shown

__all__ = ["MOST_CHANNELS", "Mix", "Moment", "choose_mix", "find_mix"]

MOST_CHANNELS = 64
"""ffmpeg's resampler takes no more (`SWR_CH_MAX`)."""
_MOMENTS = 24
_MOMENT_SAMPLES = 8_000
_RATE = 8_000
_LOUD = 100
"""The quietest moment that says something, in steps of 16 bits: -50 dB."""
_CANCELLED_BELOW = 0.5
"""A mix of n channels of which one alone sounds is at least 1/n as loud as that one. Half of that, 6 dB less,
is heard where channels cancel each other."""
_ENOUGH = 0.3
"""The part of the loud moments in which the channels must cancel each other."""


@dataclass(frozen=True, kw_only=True)
class Mix:
    """What of a track is heard; by default all of it, as ffmpeg mixes it."""

    channels: int = 0
    """How many are added up, where ffmpeg cannot tell what they stand for; 0: it can."""
    alone: int | None = None
    """The only channel that is heard, counted from 0."""
    note: str = ""
    """What a person must know of it."""

    def filter(self, wanted: int) -> str | None:
        """Return the audio filter that makes `wanted` equal channels; None where ffmpeg's mix is right."""
        if self.alone is None and not self.channels:
            return None
        source = "+".join(f"c{channel}" for channel in range(self.channels))
        sound = f"=c{self.alone}" if self.alone is not None else f"<{source}"
        layout = "mono" if wanted == 1 else "stereo"
        return f"pan={layout}|" + "|".join(f"c{channel}{sound}" for channel in range(wanted))


@dataclass(frozen=True, kw_only=True)
class Moment:
    """How loud a moment is (root mean square, in steps of 16 bits): the channels, and their mix."""

    channels: tuple[float, ...]
    mixed: float | None
    """None where ffmpeg cannot mix them."""


def find_mix(film: Film, track: int, start_ms: int, end_ms: int) -> Mix:
    """Listen to moments of the track all over the clip, and return how it is to be mixed.

    Raises `InputError` where it has more channels than can be mixed.
    """
    count = film.facts.audio_tracks[track].channels
    if count > MOST_CHANNELS:
        message = f"Audio track {track} of {shown(film.path)} has {count} channels, over {MOST_CHANNELS}."
        raise InputError(message, "Mix it down to fewer with a sound editor, or choose another track.")
    if count == 1:
        return Mix()
    return choose_mix(list(_moments(film, track, start_ms, end_ms)))


def choose_mix(moments: Sequence[Moment]) -> Mix:
    """Return how channels that sound so are to be mixed. Pure.

    Where their number changes, it is ffmpeg's to mix each part.
    """
    counts = {len(moment.channels) for moment in moments}
    if len(counts) != 1:
        return Mix()
    count = counts.pop()
    loud = [moment for moment in moments if max(moment.channels) >= _LOUD]
    cancelled = [
        moment
        for moment in loud
        if moment.mixed is not None and moment.mixed * count < max(moment.channels) * _CANCELLED_BELOW
    ]
    if cancelled and len(cancelled) >= _ENOUGH * len(loud):
        heard = [sum(moment.channels[channel] for moment in cancelled) for channel in range(count)]
        alone = heard.index(max(heard))
        note = f"channel {alone + 1} of {count} is heard alone: mixed with the others it all but vanishes"
        return Mix(alone=alone, note=note)
    if any(moment.mixed is None for moment in moments):
        note = f"nothing says what the {count} channels of the sound are: all are added up"
        return Mix(channels=count, note=note)
    return Mix()


def _moments(film: Film, track: int, start_ms: int, end_ms: int) -> Iterator[Moment]:
    """Return some moments of the track, spread evenly; where the film cannot be read, nothing is said."""
    import av

    wide_ms = max(0, end_ms - start_ms)
    with open_film(film.path) as container:
        stream = container.streams.audio[track]
        begin_us = container.start_time or 0
        for number in range(_MOMENTS if wide_ms else 1):
            place_ms = start_ms + wide_ms * (2 * number + 1) // (2 * _MOMENTS)
            try:
                container.seek(begin_us + place_ms * 1000)
                moment = _moment(container, stream)
            except av.FFmpegError:
                continue
            if moment is not None:
                yield moment


def _moment(container: Any, stream: Any) -> Moment | None:
    """Read `_MOMENT_SAMPLES` from where the container stands; None at its end."""
    ear: _Ear | None = None
    for frame in container.decode(stream):
        ear = ear or _Ear(frame.layout)
        if frame.layout.nb_channels != len(ear.parts):
            break
        ear.hear(frame)
        if len(ear.parts[0]) >= _MOMENT_SAMPLES:
            break
    if ear is None or not ear.parts[0]:
        return None
    mixed = None if ear.mixed is None else _loudness(ear.mixed)
    return Moment(channels=tuple(map(_loudness, ear.parts)), mixed=mixed)


class _Ear:
    """Hears the channels of some frames, and what ffmpeg mixes of them (None where it cannot)."""

    def __init__(self, layout: Any) -> None:
        import av

        self._apart = av.AudioResampler(format="s16p", layout=layout, rate=_RATE)
        self._together = av.AudioResampler(format="s16p", layout="mono", rate=_RATE)
        self.parts = [array.array("h") for _ in range(layout.nb_channels)]
        self.mixed: array.array[int] | None = array.array("h")

    def hear(self, frame: Any) -> None:
        import av

        for resampled in self._apart.resample(frame):
            for channel, part in enumerate(self.parts):
                _add(part, resampled, channel)
        if self.mixed is None:
            return
        try:
            for resampled in self._together.resample(frame):
                _add(self.mixed, resampled, 0)
        except av.FFmpegError:
            self.mixed = None


def _add(part: array.array[int], frame: Any, channel: int) -> None:
    part.frombytes(bytes(frame.planes[channel])[: 2 * frame.samples])


def _loudness(part: array.array[int]) -> float:
    return math.sqrt(sum(map(operator.mul, part, part)) / len(part)) if part else 0.0
