from __future__ import annotations

import array
import wave

import pytest

from protocol.errors import InputError
from workers.engines.common.preview.waveform import STEP_MS, peaks

STEP = 16 * STEP_MS


def write(path, samples, channels=1):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(array.array("h", samples).tobytes())
    return path


def test_each_value_is_the_loudest_of_its_twentieth_of_a_second(tmp_path):
    samples = [0] * STEP + [0] * (STEP - 1) + [16_384] + [-32_768] + [0] * (STEP - 1) + [-1] * STEP + [32_767]
    assert list(peaks(write(tmp_path / "a.wav", samples))) == [0, 128, 254, 0, 254]


def test_long_recordings_are_read_in_blocks_that_leave_no_seam(tmp_path):
    samples = array.array("h")
    for place in range(4_500):
        samples.extend([0] * (STEP - 1) + [(place % 127) << 8])
    assert list(peaks(write(tmp_path / "a.wav", samples))) == [2 * (place % 127) for place in range(4_500)]


def test_a_recording_without_a_sample_has_no_value(tmp_path):
    assert peaks(write(tmp_path / "a.wav", [])) == b""


@pytest.mark.parametrize("contents", [b"", b"RIFF", b"a story that is long enough to be a header of wav"])
def test_what_is_no_sound_is_refused_in_a_sentence(tmp_path, contents):
    (tmp_path / "a.wav").write_bytes(contents)
    with pytest.raises(InputError, match="cannot be read as sound"):
        peaks(tmp_path / "a.wav")


def test_a_recording_in_stereo_is_refused(tmp_path):
    with pytest.raises(InputError, match="not mono"):
        peaks(write(tmp_path / "a.wav", [0, 0], channels=2))
