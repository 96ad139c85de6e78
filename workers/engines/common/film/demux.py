"""demux with ffmpeg: the film's sound as 16 kHz mono on the film's clock."""

from __future__ import annotations

import wave
from dataclasses import replace
from pathlib import Path

from protocol.artefacts import describe_film
from protocol.errors import InputError
from protocol.stages.demux import AudioTrack, DemuxRequest, DemuxResult, MediaFacts
from workers.engine import Context, Models
from workers.engines.common.film import ffmpeg as program
from workers.engines.common.film.probe import Film, probe, readable_ms
from workers.engines.common.film.shot_finding import find_shots
from workers.engines.common.film.sound import full_band
from workers.engines.common.film.sound.channels import find_mix
from workers.engines.common.film.sound.heard_track import Clip, Form, HeardTrack, clock_stream
from workers.engines.common.film.sound.track_choice import choose_track, tell_choice
from workers.engines.common.names import shown

__all__ = ["FfmpegDemux", "choose_clip", "is_cut_short"]

_SAMPLE_RATE = 16_000
_NAME = "audio.wav"
_FORM = Form(
    sample_rate=_SAMPLE_RATE,
    channels=1,
    options={"format": "wav", "acodec": "pcm_s16le"},
    bytes_per_ms=2 * _SAMPLE_RATE // 1000,
)
_BLOCK_FRAMES = 1 << 16
_TOLERANCE_MS = 2_000
_TOLERANCE_SHARE = 0.02


class FfmpegDemux:
    """Takes one audio stream out of a film with ffmpeg; it holds no whole film in memory."""

    stage = "demux"

    def warm(self, models: Models, model: str | None) -> None:  # noqa: ARG002 (an engine without models)
        """Import PyAV and ffmpeg-python, and look for ffmpeg (`MissingError`)."""
        import av  # noqa: F401 (loaded before a call needs it)
        import ffmpeg  # noqa: F401 (loaded before a call needs it)

        program.find_ffmpeg()

    def run(self, request: DemuxRequest, context: Context) -> DemuxResult:
        """Write `audio.wav`; on request, also write `audio_full.flac` and find the shots.

        Raises `InputError` if the file is not a film, has no such audio, or was cut short.
        """
        media = Path(request.media)
        film = probe(media)
        before = describe_film(media)
        track = choose_track(film, request.audio_track, request.language)
        clip = choose_clip(film, request.start_ms, request.end_ms)
        target = context.output(_NAME)
        full = context.output(full_band.NAME) if request.full_band else None
        end_ms = film.facts.duration_ms if clip.end_ms is None else clip.end_ms
        mix = find_mix(film, track.number, clip.start_ms, end_ms)
        heard = HeardTrack(film=film, track=track.number, clip=clip, mix=mix)
        targets = [target] if full is None else [target, full]
        forms = [_FORM] if full is None else [_FORM, full_band.FORM]
        outcome = heard.write(targets, forms, context, note="taking the sound out")
        # Where there is no sound at all in the clip, nothing is written: its silence is made below.
        if outcome.returncode != 0 and not (outcome.fed and not target.exists()):
            for path in targets:
                path.unlink(missing_ok=True)
            raise program.failure(outcome, media, "take the sound out of")
        reached_ms = clip.start_ms + _length_ms(target)
        if is_cut_short(end_ms, reached_ms):
            _check_whole(film, context)
        duration_ms = _final_length(film, track, clip, target)
        if full is not None:
            full_band.fit(full, _frame_count(target) / _SAMPLE_RATE, context)
        return DemuxResult(
            audio=context.publish(_NAME),
            audio_duration_ms=duration_ms,
            audio_track=track.number,
            clip_start_ms=clip.start_ms,
            facts=_with_length(film.facts, clip.start_ms + duration_ms),
            full_band=context.publish(full_band.NAME) if full is not None else None,
            shot_changes_ms=_shots(film, clip, context) if request.shot_changes else (),
            film=before if describe_film(media) == before else None,
            notes=tuple(note for note in (tell_choice(film, track), mix.note) if note),
        )


def choose_clip(film: Film, start_ms: int | None, end_ms: int | None) -> Clip:
    """Return the part of the film asked for; raise `InputError` if it is not in the film."""
    clip = Clip(start_ms=start_ms or 0, end_ms=end_ms)
    length = film.facts.duration_ms
    problem = ""
    if clip.start_ms < 0:
        problem = f"the clip starts at {_seconds(clip.start_ms)}, before the film"
    elif clip.end_ms is not None and clip.end_ms <= clip.start_ms:
        problem = (
            f"the clip ends at {_seconds(clip.end_ms)}, not after its start at {_seconds(clip.start_ms)}"
        )
    elif length and clip.start_ms >= length:
        problem = f"the clip starts at {_seconds(clip.start_ms)}, but the film ends at {_seconds(length)}"
    elif length and clip.end_ms is not None and clip.end_ms > length:
        problem = f"the clip ends at {_seconds(clip.end_ms)}, but the film ends at {_seconds(length)}"
    if problem:
        message = f"{shown(film.path)}: {problem}."
        raise InputError(message, "Correct the start and the end of the clip.")
    return clip


def is_cut_short(promised_ms: int, read_ms: int) -> bool:
    """Return whether too little could be read; 2 s or 2 % may be missing, the larger of them."""
    return promised_ms - read_ms > max(_TOLERANCE_MS, promised_ms * _TOLERANCE_SHARE)


def _shots(film: Film, clip: Clip, context: Context) -> tuple[int, ...]:
    clock = None if film.picture is None else clock_stream(film, film.picture)
    return find_shots(film, context, start_ms=clip.start_ms, end_ms=clip.end_ms, clock=clock)


def _check_whole(film: Film, context: Context) -> None:
    """Raise `InputError` if the file ends before its header says.

    Sound that ends before the picture is no damage, so this looks at the packets of every stream.
    """
    promised = film.facts.duration_ms
    if not film.states_length:
        return
    read = readable_ms(film.path, lambda: context.progress(1.0, "looking for the film's end"))
    if is_cut_short(promised, read):
        message = (
            f"{shown(film.path)} was cut short: its header promises {_seconds(promised)}, "
            f"but only {_seconds(read)} could be read."
        )
        raise InputError(message, "Copy or download the film again.")


def _final_length(film: Film, track: AudioTrack, clip: Clip, target: Path) -> int:
    """Return the length of the sound in ms; if it ends before the clip does, silence is added."""
    length = _length_ms(target)
    wanted = None if clip.end_ms is None else clip.end_ms - clip.start_ms
    if clip.start_ms and wanted is None and film.facts.duration_ms:
        wanted = film.facts.duration_ms - clip.start_ms
    if wanted is not None and length < wanted:
        _pad(target, wanted)
        return wanted
    if length == 0:
        message = f"No sound could be read from audio track {track.number} of {shown(film.path)}."
        raise InputError(message, "Check that the film plays with sound, or choose another audio track.")
    return length


def _pad(target: Path, length_ms: int) -> None:
    missing = length_ms * _SAMPLE_RATE // 1000
    aside = target.with_name(f"{target.name}.part")
    with wave.open(str(aside), "wb") as new:
        new.setnchannels(1)
        new.setsampwidth(2)
        new.setframerate(_SAMPLE_RATE)
        # If ffmpeg has nothing to write, it leaves an empty file, which is not a WAV.
        if _length_ms(target):
            with wave.open(str(target), "rb") as old:
                while block := old.readframes(_BLOCK_FRAMES):
                    new.writeframesraw(block)
                    missing -= len(block) // 2
        while missing > 0:
            count = min(missing, _BLOCK_FRAMES)
            new.writeframesraw(bytes(2 * count))
            missing -= count
    aside.replace(target)


def _length_ms(wav: Path) -> int:
    return round(_frame_count(wav) * 1000 / _SAMPLE_RATE)


def _frame_count(wav: Path) -> int:
    try:
        with wave.open(str(wav), "rb") as file:
            return file.getnframes()
    except (EOFError, FileNotFoundError, wave.Error):
        return 0


def _with_length(facts: MediaFacts, heard_ms: int) -> MediaFacts:
    """Return the facts with a length: browsers' recordings state none, but the sound was measured now."""
    return facts if facts.duration_ms else replace(facts, duration_ms=heard_ms)


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.3f}".rstrip("0").rstrip(".") + " s"
