"""The film's full sound for the stage separate, beside the 16 kHz sound and on its clock."""

from __future__ import annotations

from pathlib import Path

from workers.engine import Context
from workers.engines.common.film import ffmpeg as program
from workers.engines.common.film.sound.heard_track import Form

__all__ = ["FORM", "NAME", "fit"]

NAME = "audio_full.flac"
_SAMPLE_RATE = 44_100
FORM = Form(
    sample_rate=_SAMPLE_RATE,
    channels=2,
    options={"format": "flac", "acodec": "flac", "sample_fmt": "s16"},
    bytes_per_ms=4 * _SAMPLE_RATE // 1000,
)
_SLACK_FRAMES = 3
"""A sample at 16 kHz is 2.8 samples at 44.1 kHz: the ends of the two resamplers differ by no more."""
_NOTE = "making the full sound as long"


def fit(target: Path, seconds: float, context: Context) -> None:
    """Make the file as long as the 16 kHz sound: cut it or add silence at its end; most need neither."""
    import ffmpeg

    wanted = round(seconds * _SAMPLE_RATE)
    found = _frame_count(target)
    if abs(found - wanted) <= _SLACK_FRAMES:
        return
    aside = target.with_name(f"{target.name}.part")
    if found:
        sound = program.open_source(target)
    else:
        # If ffmpeg had nothing to write, its file is not a FLAC that it can read.
        sound = ffmpeg.input(f"anullsrc=r={_SAMPLE_RATE}:cl=stereo", format="lavfi")
    fitted = FORM.output(sound["a:0"], aside, af=f"apad=whole_len={wanted},atrim=end_sample={wanted}")
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
    return round(length * _SAMPLE_RATE)
