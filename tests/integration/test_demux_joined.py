"""demux of sound that changes its form in mid-stream, and of transport streams that were joined."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.job_folders import CUES, write_job
from tests.little_films import PICTURE, demux, samples
from workers.engines.common.preview.page import preview

pytestmark = pytest.mark.integration

BEEPS = "sine=d=3:f=440,volume=0:enable='not(between(t,1,1.5))'"
"""Three seconds, loud from 1.0 to 1.5 s."""
ENCODED = ("-c:v", "mpeg2video", "-c:a", "ac3", "-ar", "48000", "-f", "mpegts")


def beeps_ms(wav: Path) -> list[int]:
    """Return where each beep starts, to 10 ms."""
    heard = samples(wav)
    loud = [max(map(abs, heard[at : at + 160])) > 500 for at in range(0, len(heard) - 160, 160)]
    return [place * 10 for place, now in enumerate(loud) if now and not any(loud[max(0, place - 20) : place])]


def near(found: list[int], right: list[int]) -> bool:
    return len(found) == len(right) and all(abs(a - b) <= 60 for a, b in zip(found, right, strict=True))


def part(make, name: str, channels: str, starts_s: float) -> Path:
    sound = ("-f", "lavfi", "-i", f"{BEEPS},pan={channels}")
    return make(name, *PICTURE, *sound, *ENCODED, "-output_ts_offset", str(starts_s))


@pytest.mark.parametrize("wanted", ["ts", "mkv"])
@pytest.mark.parametrize("full_band", [False, True])
def test_a_change_of_channels_in_mid_stream_moves_no_sound(scratch, make, tmp_path, wanted, full_band):
    """HandBrake-docs#21: every later cue was late by the time of the change."""
    first = part(make, "1.ts", "stereo|c0=c0|c1=c0", 0)
    second = part(make, "2.ts", "5.1|FC=c0", 3)
    film = tmp_path / "switch.ts"
    film.write_bytes(first.read_bytes() + second.read_bytes())
    if wanted == "mkv":
        film = make("switch.mkv", "-i", str(film), "-map", "0", "-c", "copy")
    result = demux(scratch, film, full_band=full_band)
    assert near(beeps_ms(scratch.root / "audio.wav"), [1_000, 4_000])
    assert abs(result.audio_duration_ms - 6_000) < 120


def test_joined_streams_whose_first_part_has_less_sound_keep_the_pictures_clock(scratch, make, tmp_path):
    """tsMuxer#263, faster-whisper#128: the sound of the second part came early."""
    picture = ("-f", "lavfi", "-i", "testsrc=d=12:s=64x64:r=24")
    beep = "f=440,volume=0:enable='not(between(t,1,1.5))',pan=stereo|c0=c0|c1=c0"
    parts = [
        make(name, *picture, "-f", "lavfi", "-i", f"sine=d={length_s}:{beep}", *ENCODED)
        for name, length_s in (("1.ts", 10), ("2.ts", 12))
    ]
    film = tmp_path / "joined.ts"
    film.write_bytes(b"".join(made.read_bytes() for made in parts))
    demux(scratch, film)
    assert near(beeps_ms(scratch.root / "audio.wav"), [1_000, 13_000])


def test_a_clip_after_a_change_of_channels_starts_where_it_was_asked_for(scratch, make, tmp_path):
    film = tmp_path / "switch.ts"
    film.write_bytes(
        part(make, "1.ts", "stereo|c0=c0|c1=c0", 0).read_bytes()
        + part(make, "2.ts", "5.1|FC=c0", 3).read_bytes()
    )
    demux(scratch, film, start_ms=2_000, end_ms=5_000)
    assert near(beeps_ms(scratch.root / "audio.wav"), [2_000])


def test_the_copy_that_a_browser_plays_keeps_the_clock_too(make, tmp_path):
    first = part(make, "1.ts", "stereo|c0=c0|c1=c0", 0)
    second = part(make, "2.ts", "5.1|FC=c0", 3)
    film = tmp_path / "switch.ts"
    film.write_bytes(first.read_bytes() + second.read_bytes())
    media = preview(write_job(tmp_path / "job", film, {"en": CUES}), tell=lambda _: None).media
    assert media is not None
    copy = tmp_path / "job" / "preview" / media.file
    heard = make("heard.wav", "-i", str(copy), "-vn", "-ac", "1", "-ar", "16000")
    assert near(beeps_ms(heard), [1_000, 4_000])
