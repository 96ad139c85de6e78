"""A film's sound is read a stretch at a time, and refused where it is not what demux writes."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from protocol.errors import InputError
from workers.speech.sound import Sound


def write(path: Path, rate: int, samples: bytes) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples)
    return path


def test_only_16_khz_mono_16_bit_wav_is_taken(tmp_path: Path) -> None:
    with Sound(write(tmp_path / "a.wav", 16_000, b"\0\0" * 1_601)) as sound:
        assert sound.duration_ms == 101
    with pytest.raises(InputError, match="44100"):
        Sound(write(tmp_path / "b.wav", 44_100, b"\0\0" * 1_601))
    (tmp_path / "c.wav").write_bytes(b"RIFF, or not")
    with pytest.raises(InputError, match="not a WAV"):
        Sound(tmp_path / "c.wav")


def test_samples_are_those_between_two_times_and_end_with_the_file(tmp_path: Path) -> None:
    low, high = (16_384).to_bytes(2, "little"), (-32_768).to_bytes(2, "little", signed=True)
    with Sound(write(tmp_path / "a.wav", 16_000, low * 16 + high * 16)) as sound:
        assert sound.between(0, 1).tolist() == [0.5] * 16
        assert sound.between(1, 9).tolist() == [-1.0] * 16
        assert sound.samples(-5, 2).tolist() == [0.5, 0.5]
        assert sound.samples(99, 2).tolist() == []
