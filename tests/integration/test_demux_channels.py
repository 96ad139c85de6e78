"""demux of channels that do not mix, of several audio tracks, and of subtitles longer than the film."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from protocol.errors import InputError
from tests.little_films import BEEP, PICTURE, SRT, demux, samples

pytestmark = pytest.mark.integration

PCM = bytes.fromhex("0100000000001000800000aa00389b71")
"""The sub-format of WAVE_FORMAT_EXTENSIBLE that says PCM."""


def unknown_channels(path: Path, count: int, speaks: int) -> Path:
    """Write a second of WAVE_FORMAT_EXTENSIBLE with the channel mask 0: one channel is a square wave."""
    frames = b"".join(
        b"".join(
            struct.pack("<h", 8_000 * (1 - number // 20 % 2 * 2) * (channel == speaks))
            for channel in range(count)
        )
        for number in range(8_000)
    )
    form = struct.pack("<HHIIHHHHI", 0xFFFE, count, 8_000, 16_000 * count, 2 * count, 16, 22, 16, 0) + PCM
    parts = (b"fmt ", struct.pack("<I", len(form)), form, b"data", struct.pack("<I", len(frames)), frames)
    body = b"WAVE" + b"".join(parts)
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


@pytest.mark.parametrize("layout", ["stereo|c0=c0|c1=-1*c0", "5.1|FL=0.5*c0|FR=-0.5*c0"])
def test_an_inverted_channel_silences_no_film(scratch, make, layout):
    """whisperX#750, Aegisub#254: the mix of the two is silence."""
    media = make("inverted.mka", *BEEP, "-af", f"pan={layout}", "-c:a", "ac3")
    result = demux(scratch, media, full_band=True)
    assert max(samples(scratch.root / "audio.wav")) > 1_000
    assert "is heard alone" in result.notes[0]
    assert abs(result.audio_duration_ms - 3_000) < 50


@pytest.mark.parametrize("count", [9, 60])
def test_channels_of_which_nothing_is_known_are_heard(scratch, tmp_path, count):
    """auto-subs#506: ffmpeg has no mix for them."""
    result = demux(scratch, unknown_channels(tmp_path / "many.wav", count, speaks=3), full_band=True)
    assert max(samples(scratch.root / "audio.wav")) == pytest.approx(8_000 / count, rel=0.4)
    assert f"the {count} channels of the sound" in result.notes[0]


def test_more_channels_than_can_be_mixed_are_told_in_a_sentence(scratch, tmp_path):
    with pytest.raises(InputError, match="65 channels, over 64"):
        demux(scratch, unknown_channels(tmp_path / "many.wav", 65, speaks=3))


def test_the_commentary_that_is_flagged_default_is_not_heard_and_a_note_says_so(scratch, make):
    """jellyfin#5179, subarr#159."""
    quiet = ("-f", "lavfi", "-i", "anullsrc=d=3")
    flags = ("-disposition:a:0", "default+comment", "-disposition:a:1", "0")
    media = make(
        "two.mkv", *quiet, *BEEP, "-map", "0:a", "-map", "1:a", *flags, "-metadata:s:a:1", "language=eng"
    )
    result = demux(scratch, media)
    assert result.audio_track == 1
    assert max(samples(scratch.root / "audio.wav")) > 1_000
    assert "audio track 1 (English) is heard, not 0 (language not told, commentary, default)" in result.notes


@pytest.mark.parametrize("name", ["longer.mkv", "longer.mp4"])
def test_a_subtitle_that_runs_on_longer_than_the_film_makes_it_no_cut_one(scratch, make, tmp_path, name):
    """mkvtoolnix#1495, mpv#11021."""
    text = tmp_path / "longer.srt"
    text.write_text(SRT + "3\n00:00:50,000 --> 00:00:55,000\nfar behind the end\n\n", encoding="utf-8")
    codec = "srt" if name.endswith("mkv") else "mov_text"
    media = make(name, *PICTURE, *BEEP, "-i", str(text), "-map", "0", "-map", "1", "-map", "2", "-c:s", codec)
    result = demux(scratch, media)
    assert abs(result.facts.duration_ms - 3_000) < 100
    assert abs(result.audio_duration_ms - 3_000) < 100
    with pytest.raises(InputError, match=r"the film ends at 3\.\d* ?s|the film ends at 3 s"):
        demux(scratch, media, start_ms=10_000)


def test_a_film_cut_short_is_told_though_it_has_subtitles(scratch, make, tmp_path):
    text = tmp_path / "subtitles.srt"
    text.write_text(SRT, encoding="utf-8")
    picture = ("-f", "lavfi", "-i", "testsrc=d=30:s=64x64:r=24")
    sound = ("-f", "lavfi", "-i", "sine=d=30:f=440")
    whole = make("whole.mkv", *picture, *sound, "-i", str(text), "-map", "0", "-map", "1", "-map", "2")
    part = tmp_path / "part.mkv"
    content = whole.read_bytes()
    part.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="was cut short"):
        demux(scratch, part)
