"""How loud a recording is, for a picture: one byte for each twentieth of a second."""

from __future__ import annotations

import wave
from pathlib import Path

from protocol.errors import InputError
from workers.engines.common.names import shown

__all__ = ["STEP_MS", "peaks"]

STEP_MS = 50
"""The time that one value stands for."""
_BLOCK_STEPS = 2_000
"""Values read at a time: a hundred seconds, 3 MB at 16 kHz."""
_MAGNITUDES = bytes(2 * (high if high < 128 else 255 - high) for high in range(256))
"""A sample's upper byte (two's complement) to twice its magnitude: 0 for silence, 254 for the loudest."""


def peaks(wav: Path) -> bytes:
    """Return the loudest value of each `STEP_MS`, 0 to 254, of a mono file with 16 bits a sample.

    Seven bits of loudness, 42 dB, are more than a picture shows; searching bytes is four times as fast as
    searching whole samples. The last value may stand for less time. Raises `InputError` for any other file.
    """
    found = bytearray()
    try:
        with wave.open(str(wav), "rb") as file:
            if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                message = f"{shown(wav)} is not mono with 16 bits a sample."
                raise InputError(message, "Take the sound out again: cpw retry JOB --from demux")
            step = file.getframerate() * STEP_MS // 1_000
            while block := file.readframes(step * _BLOCK_STEPS):
                loud = block[1::2].translate(_MAGNITUDES)
                found += bytes(max(loud[start : start + step]) for start in range(0, len(loud), step))
    except (OSError, EOFError, wave.Error) as error:
        message = f"{shown(wav)} cannot be read as sound: {error}."
        raise InputError(message, "Take the sound out again: cpw retry JOB --from demux") from error
    return bytes(found)
