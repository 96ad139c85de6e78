"""A finished job's folder, written by hand: what reads one needs no job to have run."""

from __future__ import annotations

import array
import json
import subprocess
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from protocol.timeline import Cue
from workers.engines.common.cues.profiles import rules_for
from workers.engines.common.cues.quality import check, to_report
from workers.engines.common.film import ffmpeg as program
from workers.engines.common.formats.srt_vtt import to_srt, to_vtt
from workers.engines.common.names import safe_stem

CUES = (
    Cue(start_ms=500, end_ms=1_500, lines=("The first cue,", "of two lines")),
    Cue(start_ms=2_000, end_ms=2_400, lines=("Short and much too fast to read for anyone.",)),
    Cue(start_ms=3_000, end_ms=5_000, lines=("Tom & <b>Jerry</b>",)),
    Cue(start_ms=6_250, end_ms=8_000, lines=("The last one.",)),
)


def make_film(path: Path, *options: str, seconds: int = 10) -> Path:
    """Make a film of a moving picture and a beep; `options` say how it is encoded."""
    inputs = (f"testsrc=d={seconds}:s=320x180:r=24", f"sine=d={seconds}:f=440")
    command = [program.find_ffmpeg(), "-nostdin", "-loglevel", "error", "-y"]
    for source in inputs:
        command += ["-f", "lavfi", "-i", source]
    encoded = options or ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast", "-c:a", "aac")
    subprocess.run([*command, *encoded, f"file:{path}"], check=True, stdin=subprocess.DEVNULL)
    return path


def write_wav(path: Path, seconds: float = 10, loudness: int = 8_000) -> Path:
    """Write a second of silence and a second of noise in turn, 16 kHz, mono."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        for second in range(round(seconds)):
            loud = loudness * (second % 2)
            file.writeframes(array.array("h", [loud, -loud] * 8_000).tobytes())
    return path


def take_sound(film: Path, job: Path) -> None:
    """Put a film's own sound into a job's folder."""
    command = [program.find_ffmpeg(), "-nostdin", "-loglevel", "error", "-y", "-i", f"file:{film}"]
    command += ["-vn", "-ac", "1", "-ar", "16000", f"file:{job}/01_demux/audio.wav"]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def write_job(
    root: Path,
    media: Path,
    tracks: Mapping[str, Sequence[Cue]],
    *,
    title: str = "Film",
    clip_start_ms: int = 0,
    audio_track: int = 0,
    with_audio: bool = True,
    muxed: Path | None = None,
    duration_ms: int = 10_000,
) -> Path:
    """Write a job's folder with a subtitle track for each language, and return it."""
    steps: list[tuple[str, list[Path]]] = [
        ("demux", [write_wav(root / "01_demux" / "audio.wav")] if with_audio else []),
        ("vad", [_json(root / "05_vad" / "speech_segments.json", {"speech": _speech(tracks)})]),
        ("clean", [_transcript(root / "09_clean" / "transcript.json", next(iter(tracks), "en"))]),
    ]
    for language, cues in tracks.items():
        if len(steps) > 3:
            name = root / "10_translate" / f"transcript.{language}.json"
            steps.append(("translate", [_transcript(name, language, next(iter(tracks)))]))
        files = _subtitles(
            root / "11_subtitle", f"{safe_stem(title)}.{language}", language, cues, duration_ms
        )
        steps.append(("subtitle", files))
    if muxed is not None:
        steps.append(("mux", [muxed]))
    _json(
        root / "job.json",
        {"job": "job-20260102-me-0001", "title": title, "input_media": {"path": str(media)}},
    )
    stages = [
        {"stage": stage, "artefacts": [{"path": path.relative_to(root).as_posix()} for path in paths]}
        for stage, paths in steps
    ]
    film = {
        "facts": None,
        "audio_track": audio_track,
        "audio_duration_ms": duration_ms,
        "clip_start_ms": clip_start_ms,
    }
    _json(root / "manifest.json", {"stages": stages, "film": film})
    return root


def _subtitles(folder: Path, stem: str, language: str, cues: Sequence[Cue], duration_ms: int) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    srt, vtt = folder / f"{stem}.srt", folder / f"{stem}.vtt"
    srt.write_text(to_srt(cues), encoding="utf-8")
    vtt.write_text(to_vtt(cues), encoding="utf-8")
    rules = rules_for("netflix", language, media_duration_ms=duration_ms)
    report = to_report(cues, rules, check(cues, rules), profile="netflix")
    return [srt, vtt, _json(folder / f"{stem}.qc.json", report)]


def _transcript(path: Path, language: str, origin: str = "") -> Path:
    made = {"engine": "whisperx", "model": "whisper-base"}
    return _json(path, {"language": language, "segments": [], "translated_from": origin, **made})


def _speech(tracks: Mapping[str, Sequence[Cue]]) -> list[dict[str, int]]:
    cues = next(iter(tracks.values()), ())
    return [{"start_ms": cue.start_ms, "end_ms": cue.end_ms - 100} for cue in cues]


def _json(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
    return path
