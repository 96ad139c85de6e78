"""The film's full sound for the stage separate, beside the 16 kHz sound and on its clock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workers.engine import Context
from workers.engines.common.film import ffmpeg as program

__all__ = ["NAME", "SAMPLE_RATE", "fit", "output"]

NAME = "audio_full.flac"
SAMPLE_RATE = 44_100
_SLACK_FRAMES = 3
"""A sample at 16 kHz is 2.8 samples at 44.1 kHz: the ends of the two resamplers differ by no more."""
_NOTE = "making the full sound as long"


def output(sound: Any, target: Path, **options: Any) -> Any:
    """Return the ffmpeg output node that writes `sound`, a stream of an input node, as 16-bit stereo FLAC.

    `options` are those of the 16 kHz output: its filter, which keeps the film's clock, and its length.
    """
    import ffmpeg

    return ffmpeg.output(
        sound,
        program.file_url(target),
        format="flac",
        acodec="flac",
        sample_fmt="s16",
        ar=SAMPLE_RATE,
        ac=2,
        **options,
    )


def fit(target: Path, seconds: float, context: Context) -> None:
    """Make the file as long as the 16 kHz sound: cut it or add silence at its end; most need neither."""
    import ffmpeg

    wanted = round(seconds * SAMPLE_RATE)
    found = _frame_count(target)
    if abs(found - wanted) <= _SLACK_FRAMES:
        return
    aside = target.with_name(f"{target.name}.part")
    if found:
        sound = program.open_source(target)
    else:
        # If ffmpeg had nothing to write, its file is not a FLAC that it can read.
        sound = ffmpeg.input(f"anullsrc=r={SAMPLE_RATE}:cl=stereo", format="lavfi")
    same = {"map_metadata": -1, "fflags": "+bitexact"}
    fitted = output(sound["a:0"], aside, af=f"apad=whole_len={wanted},atrim=end_sample={wanted}", **same)
    outcome = program.run(
        program.build_command(fitted), context, duration_ms=round(seconds * 1000), note=_NOTE
    )
    if outcome.returncode != 0:
        aside.unlink(missing_ok=True)
        raise program.failure(outcome, target, "lengthen")
    aside.replace(target)


def _frame_count(flac: Path) -> int:
    """Return the length in frames that its header states; 0 if it cannot be read."""
    import av

    try:
        with av.open(str(flac)) as container:
            stream = container.streams.audio[0]
            length = (stream.duration or 0) * (stream.time_base or 0)
    except (av.FFmpegError, IndexError):
        return 0
    return round(length * SAMPLE_RATE)
