"""separate by a real worker with Spleeter's real weights, from their package."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from protocol.errors import ErrorKind
from protocol.stages.separate import SeparateRequest, SeparateResult
from tests.conftest import Figure
from tests.data import two_speakers
from tests.lone_worker import LoneWorker
from tests.mixes import loudness, mix, narrow, noise, samples, si_sdr, stereo

pytestmark = [pytest.mark.env("common", "whisperx", "spleeter"), pytest.mark.slow, pytest.mark.timeout(600)]

MODEL = "spleeter-2stems"
RISE_DB = 3.0


@pytest.fixture(scope="module")
def worker():
    with LoneWorker.of("spleeter") as alive:
        alive.wait_ready()
        yield alive


@pytest.fixture(scope="module")
def sounds(tmp_path_factory) -> dict[str, Path]:
    """Return half a minute of two speakers alone, and the same in noise."""
    folder = tmp_path_factory.mktemp("sounds")
    speech = stereo(folder, two_speakers())
    noisy = mix(folder, speech, noise(folder, 30), 0, loudness(samples(speech)), "noisy")
    return {"speech": speech, "noisy": noisy}


def do(worker: LoneWorker, sound: Path, when: str) -> tuple[SeparateResult, Path]:
    """Return the result and the voices."""
    own = worker.take_in(narrow(sound.parent, sound), "01_demux/audio.wav") if when == "auto" else None
    audio = worker.take_in(sound, "01_demux/audio.flac")
    found = worker.do("separate", SeparateRequest(audio=audio, model=MODEL, when=when, own=own))
    return found, worker.folder / found.vocals.path


def test_speech_in_noise_stands_out_further_than_before(worker, sounds, figure: Figure) -> None:
    clean, before = samples(sounds["speech"]), samples(sounds["noisy"])
    found, vocals = do(worker, sounds["noisy"], "always")
    rise = si_sdr(samples(vocals), clean) - si_sdr(before, clean)
    figure(f"spleeter, speech in noise: SI-SDR rises by {rise:.1f} dB")
    assert rise > RISE_DB
    with wave.open(str(vocals)) as file:
        assert (file.getframerate(), file.getnchannels()) == (16_000, 1)
        assert file.getnframes() == round(found.duration_ms * 16)
    assert abs(len(before) - len(samples(vocals))) <= 1
    assert found.separated == found.notes == ()


def test_auto_takes_voices_where_they_are_in_doubt_and_the_films_own_sound_elsewhere(worker, sounds) -> None:
    always = samples(do(worker, sounds["noisy"], "always")[1])
    own = samples(narrow(sounds["noisy"].parent, sounds["noisy"]))
    found, vocals = do(worker, sounds["noisy"], "auto")
    made = samples(vocals)
    assert len(made) == len(own) == round(found.duration_ms * 16)
    taken_ms = sum(span.end_ms - span.start_ms for span in found.separated)
    assert 4_000 <= taken_ms <= found.duration_ms
    assert f"{round(100 * taken_ms / found.duration_ms)} % of the film's sound separated" in found.notes[0]
    for second in range(1, found.duration_ms // 1000 - 1):
        near = range((second - 1) * 1000, (second + 2) * 1000, 500)
        inside = {any(span.start_ms <= ms < span.end_ms for span in found.separated) for ms in near}
        if len(inside) == 1:
            place = slice(second * 16_000, (second + 1) * 16_000)
            assert made[place] == (always if inside.pop() else own)[place], second


def test_auto_leaves_clean_speech_byte_for_byte(worker, sounds) -> None:
    found, vocals = do(worker, sounds["speech"], "auto")
    assert vocals.read_bytes() == narrow(sounds["speech"].parent, sounds["speech"]).read_bytes()
    assert found.separated == ()
    assert found.notes == ("the voices stand out of the film's sound, which is used as it is",)


def test_auto_without_the_films_own_sound_and_other_weights_are_refused(worker, sounds, tmp_path) -> None:
    audio = worker.take_in(sounds["speech"], "01_demux/audio.flac")
    error = worker.refuse("separate", SeparateRequest(audio=audio, model=MODEL, when="auto"))
    assert error.kind is ErrorKind.USAGE
    error = worker.refuse("separate", SeparateRequest(audio=audio, model="absent"))
    assert error.kind is ErrorKind.MISSING
