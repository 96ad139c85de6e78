"""Writes an audio track of a film on the film's clock, in one form or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workers.engines.common.film import ffmpeg as program
from workers.engines.common.film.probe import Film, Stream
from workers.engines.common.film.sound.channels import Mix

__all__ = ["Clip", "Form", "HeardTrack", "clock_stream"]


@dataclass(frozen=True, kw_only=True)
class Clip:
    """The part of the film to take, in ms of the film; `end_ms` None: to its end."""

    start_ms: int = 0
    end_ms: int | None = None


@dataclass(frozen=True, kw_only=True)
class Form:
    """What a sound is written as: `options` are those of ffmpeg's output, its format among them."""

    sample_rate: int
    channels: int
    options: Mapping[str, Any]
    bytes_per_ms: int
    """About how large a file grows: how far ffmpeg is shows in that."""

    def output(self, sound: Any, target: Path, **more: Any) -> Any:
        """Return the ffmpeg output node that writes `sound`, a stream of an input; `more` are options."""
        import ffmpeg

        return ffmpeg.output(
            sound,
            program.file_url(target),
            ar=self.sample_rate,
            ac=self.channels,
            # No tags and no encoder's name: the same sound gives the same bytes.
            map_metadata=-1,
            fflags="+bitexact",
            **self.options,
            **more,
        )


@dataclass(frozen=True, kw_only=True)
class HeardTrack:
    """An audio track as it is heard: which one, which part of it, and how its channels are mixed."""

    film: Film
    track: int
    clip: Clip = field(default_factory=Clip)
    mix: Mix = field(default_factory=Mix)

    def write(
        self, targets: Sequence[Path], forms: Sequence[Form], context: program.ReportsProgress, *, note: str
    ) -> program.FfmpegExit:
        """Write the sound into every target, in its form: one decoding, by two ffmpegs.

        Where the clip has no sound at all, some of the targets may be missing or empty.
        """
        end_ms = self.film.facts.duration_ms if self.clip.end_ms is None else self.clip.end_ms
        return program.run(
            self._writing(targets, forms),
            context,
            duration_ms=end_ms - self.clip.start_ms,
            note=note,
            feeder=program.Feeder(command=self._decoding(forms), bytes_per_ms=forms[0].bytes_per_ms),
        )

    @property
    def _length(self) -> dict[str, float]:
        clip = self.clip
        return {} if clip.end_ms is None else {"t": (clip.end_ms - clip.start_ms) / 1000}

    def _decoding(self, forms: Sequence[Form]) -> list[str]:
        """Return the ffmpeg command that decodes the track once and writes it, with its times, to stdout.

        Where the sound changes its form in mid-stream, ffmpeg builds the filters anew. So they only bring it
        into one form here; what keeps the film's clock comes after that, in a process of its own.
        """
        import ffmpeg

        place = {"ss": self.clip.start_ms / 1000} if self.clip.start_ms else {}
        source = program.open_source(self.film.path, **place)
        options: dict[str, Any] = {"c": "pcm_s16le"}
        for number, form in enumerate(forms):
            options |= {f"ar:{number}": form.sample_rate, f"ac:{number}": form.channels}
            if (mixing := self.mix.filter(form.channels)) is not None:
                options[f"filter:{number}"] = mixing
        sounds = [source[f"a:{self.track}"] for _ in forms]
        outputs = [ffmpeg.output(*sounds, "pipe:1", format="nut", **options, **self._length)]
        if (clock := clock_stream(self.film, self.film.sounds[self.track])) is not None:
            outputs.append(
                ffmpeg.output(source[str(clock.index)], "-", format="null", c="copy", **self._length)
            )
        return program.build_command(ffmpeg.merge_outputs(*outputs), feeds=True)

    def _writing(self, targets: Sequence[Path], forms: Sequence[Form]) -> list[str]:
        """Return the ffmpeg command that writes what `_decoding` decodes."""
        import ffmpeg

        source = ffmpeg.input("pipe:0", format="nut", protocol_whitelist="pipe", copyts=None)
        # ffmpeg moves the container's start to 0. This adds silence from there to the first sample, and in
        # each hole of the stream, so that a sample's place is the film's time.
        on_the_clock = {"af": "aresample=async=1:first_pts=0", **self._length}
        outputs = [
            form.output(source[f"a:{number}"], target, **on_the_clock)
            for number, (target, form) in enumerate(zip(targets, forms, strict=True))
        ]
        return program.build_command(ffmpeg.merge_outputs(*outputs))


def clock_stream(film: Film, stream: Stream) -> Stream | None:
    """Return the stream that ffmpeg must read too, so that it keeps the film's clock with it.

    In transport streams, ffmpeg takes the start of the streams it reads for the film's start: if it read only
    sound that starts late, that sound would come early. Where two of them were joined, it closes the gap
    between the clocks so that the streams it reads go on without a break: of sound that was shorter than its
    picture, the second part would come early. The picture has no such gap, so it is read where there is one.
    """
    if not film.is_transport:
        return None
    candidates = [
        stream_ for stream_ in film.streams if stream_.kind in ("video", "audio") and not stream_.is_cover
    ]
    first = min(candidates, key=lambda candidate: candidate.starts_ms)
    picture = film.picture if film.picture is not stream else None
    return first if first.starts_ms < stream.starts_ms else picture
