"""separate by a real worker with demucs' own model class: lengths, the clock, memory, the films."""

from __future__ import annotations

import array
import itertools
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

import envspecs
from envspecs.models.registry import has_model
from protocol.errors import ErrorKind
from protocol.frames import Header
from protocol.messages import Ack, Cancel, Failure, Progress
from protocol.stages.separate import SeparateRequest
from tests.checkpoints.demucs import make_htdemucs
from tests.conftest import Figure
from tests.data import data, script
from tests.env.demucs.sounds import RATE, flac, lavfi, narrowed, samples, take_in
from tests.lone_worker import LoneWorker

pytestmark = [pytest.mark.env("common", "demucs"), pytest.mark.slow, pytest.mark.timeout(600)]

_TONE = "0.6*sin(3000*t)*pow(sin(PI*mod(t\\,3.7)/0.02)\\,2)"
_CLICKS = f"if(lt(mod(t\\,3.7)\\,0.02)\\,{_TONE}\\,0)+0.001*sin(900*t)"
"""A tone of 20 ms every 3.7 s, which falls on every place of a segment and on the seams."""


def onsets(heard: array.array[int]) -> list[int]:
    """Return where a tone starts after half a second without one."""
    found: list[int] = []
    last = -16_000
    for place, sample in enumerate(heard):
        if abs(sample) > 3_000:
            if place - last > 8_000:
                found.append(place)
            last = place
    return found


def check(*words: str) -> dict[str, Any]:
    """Run checks.py in the environment and return what it found."""
    command = [envspecs.interpreter("demucs"), Path(__file__).with_name("checks.py"), *words]
    surroundings = dict(os.environ, **envspecs.read("demucs").environment)
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=surroundings)
    assert done.returncode == 0, done.stderr[-4_000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_the_voices_are_where_they_were_and_as_long_as_the_sound(worker, tmp_path, figure: Figure) -> None:
    sound = lavfi(tmp_path, "clicks.flac", _CLICKS, _CLICKS, 40)
    result = worker.do("separate", SeparateRequest(audio=take_in(worker, sound)))
    made, expected = samples(worker.folder / result.vocals.path), narrowed(tmp_path, sound)
    assert (len(made), result.duration_ms) == (640_000, 40_000)
    assert len(onsets(expected)) == 11
    assert onsets(made) == onsets(expected)
    worst = max(abs(one - two) for one, two in zip(made, expected, strict=True))
    figure(f"demucs: a model that gives back what it gets, over 7 segments: off by {worst} of 32768 at most")
    # ffmpeg's resampler is another one, with another edge below 8 kHz.
    assert worst < 20
    assert (result.model, result.vocals.path) == ("htdemucs", "04_separate/vocals.wav")


@pytest.mark.parametrize("count", [16, 441, 4_410, 343_979, 343_980, 343_981, 257_985, 601_965, 700_001])
def test_every_length_is_kept_to_the_sample(worker, tmp_path, count: int) -> None:
    cut = f"sine=f=500:r={RATE}:d=20,atrim=end_sample={count}"
    sound = flac(tmp_path, "x.flac", "-f", "lavfi", "-i", cut)
    result = worker.do("separate", SeparateRequest(audio=take_in(worker, sound)))
    made = samples(worker.folder / result.vocals.path)
    assert len(made) == round(count * 160 / 441)
    assert result.duration_ms == round(len(made) / 16)
    if count > 4_410:
        loud = [max(map(abs, made[at : at + 160])) > 2_000 for at in range(0, len(made) - 160, 160)]
        assert all(loud)


def test_both_channels_are_heard(worker, tmp_path) -> None:
    left, right = "0.5*sin(600*2*PI*t)*lt(t\\,1)", "0.5*sin(600*2*PI*t)*gte(t\\,1)"
    sound = lavfi(tmp_path, "sides.flac", left, right, 2)
    result = worker.do("separate", SeparateRequest(audio=take_in(worker, sound)))
    made = samples(worker.folder / result.vocals.path)
    for half in (made[2_000:14_000], made[18_000:30_000]):
        assert 7_800 < max(map(abs, half)) < 8_600


def test_a_silent_film_is_silent(worker, tmp_path) -> None:
    sound = flac(tmp_path, "silent.flac", "-f", "lavfi", "-i", f"anullsrc=r={RATE}:cl=stereo:d=9")
    result = worker.do("separate", SeparateRequest(audio=take_in(worker, sound)))
    assert set(samples(worker.folder / result.vocals.path)) == {0}


def test_the_same_sound_gives_the_same_bytes_whatever_the_batch(worker, tmp_path) -> None:
    sound = take_in(worker, lavfi(tmp_path, "clicks.flac", _CLICKS, _CLICKS, 20))
    first = worker.do("separate", SeparateRequest(audio=sound)).vocals
    assert worker.do("separate", SeparateRequest(audio=sound)).vocals == first
    made = samples(worker.folder / first.path)
    together = worker.do("separate", SeparateRequest(audio=sound, batch_size=3)).vocals
    batched = samples(worker.folder / together.path)
    assert max(abs(one - two) for one, two in zip(made, batched, strict=True)) <= 1
    assert worker.log.read_text().count("loaded demucs:htdemucs@") == 1


def test_the_bytes_are_the_same_with_one_lane_and_with_two_and_inside_another_call(tmp_path) -> None:
    make_htdemucs(tmp_path, arranged=False)
    noise = "0.3*sin(300*t*(1+t))+0.2*random(0)"
    long, short = (lavfi(tmp_path, f"{length}.flac", noise, noise, length) for length in (60, 9))
    found = []
    for threads in ("1", "2"):
        # Not by OMP_NUM_THREADS, on which numpy's own numbers depend, too: those of the resampler.
        with LoneWorker.of("demucs", models=tmp_path, options=("--threads", threads)) as alone:
            alone.wait_ready()
            asked = [SeparateRequest(audio=take_in(alone, sound)) for sound in (long, short)]
            found.append([alone.do("separate", request).vocals.sha256 for request in asked])
            found.append([result.vocals.sha256 for result in alone.do_inside("separate", *asked)])
    assert found == [found[0]] * 4


@pytest.mark.parametrize(("segment_ms", "overlap"), [(0, 0.25), (2_000, 0.5)])
def test_random_weights_give_what_demucs_itself_gives(
    tmp_path, figure: Figure, segment_ms: int, overlap: float
) -> None:
    make_htdemucs(tmp_path, arranged=False)
    noise = "0.3*sin(300*t*(1+t))+0.2*random(0)"
    sound = lavfi(tmp_path, "noise.flac", noise, noise.replace("300", "500"), 12.3)
    with LoneWorker.of("demucs", models=tmp_path) as alone:
        alone.wait_ready()
        request = SeparateRequest(audio=take_in(alone, sound), segment_ms=segment_ms, overlap=overlap)
        vocals = alone.folder / alone.do("separate", request).vocals.path
        weights = tmp_path / "htdemucs" / "955717e8.safetensors"
        words = [str(weights), str(sound), str(vocals), str(segment_ms / 1000), str(overlap)]
        found = check("own", *words)
    figure(
        f"demucs: block by block against demucs' own, all at once, segment {segment_ms} ms, "
        f"overlap {overlap}: off by {found['worst_lsb']:.2f} of 32768 at most"
    )
    assert found["lengths"] == [196_800, 196_800]
    # A dozen times the last bit.
    assert found["deviation"] > 0.0004
    assert found["worst_lsb"] < 2


def test_blocks_are_resampled_as_the_whole_is(figure: Figure) -> None:
    found = check("resampling")
    figure(
        f"demucs: resampled in blocks, {found['ways']} ways: off by {found['worst_lsb']:.4f} of 32768 at most"
    )
    assert found["ways"] > 12
    assert found["lengths"]
    assert found["worst_lsb"] < 0.1


def test_memory_does_not_grow_with_the_film(store, tmp_path, figure: Figure) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("this system does not tell a process's peak of memory in /proc")

    def peak_mb(minutes: int) -> float:
        noise = f"anoisesrc=r={RATE}:a=0.1:d={60 * minutes}"
        sound = flac(tmp_path, "long.flac", "-f", "lavfi", "-i", noise)
        alone.do("separate", SeparateRequest(audio=take_in(alone, sound)), budget_ms=500_000)
        status = Path(f"/proc/{alone.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024

    # One lane: with two, the peak is higher where both reach theirs at once, and that is chance.
    with LoneWorker.of("demucs", models=store, options=("--threads", "1")) as alone:
        alone.wait_ready()
        short, long = peak_mb(1), peak_mb(4)
    figure(f"demucs (small): peak of memory {short:.0f} MB over 1 minute of sound, {long:.0f} MB over 4")
    # Three minutes more are 64 MB as float32, for each copy of them.
    assert long - short < 40


def test_memory_that_runs_out_is_told_as_such() -> None:
    found = check("memory")
    assert found["said"].startswith("The memory of cpu ran out"), found
    assert found["torch"].startswith("RuntimeError: "), found


def test_a_call_can_be_cancelled(worker, tmp_path) -> None:
    sound = flac(tmp_path, "long.flac", "-f", "lavfi", "-i", f"sine=r={RATE}:d=600")
    header = Header(run="1", job="job-1", step="separate", attempt=900)
    worker.send(worker.call("separate", SeparateRequest(audio=take_in(worker, sound))), header)
    said = [worker.next(Progress).message for _ in range(3)]
    assert all(0 <= progress.fraction <= 1 for progress in said)
    assert {progress.note for progress in said} <= {"measuring the sound", "separating the voices"}
    worker.send(Cancel(), header)
    failure = worker.next(Failure).message
    worker.send(Ack(), header)
    assert failure.error.kind is ErrorKind.CANCELLED
    assert not (worker.folder / ".scratch" / "x").exists()


# films


def energy(heard: array.array[int], start_ms: int, end_ms: int) -> float:
    part = heard[start_ms * 16 : end_ms * 16]
    return sum(sample * sample for sample in part) / max(1, len(part))


def test_a_film_of_seventy_seconds_is_done_in_well_under_its_time(worker, tmp_path, figure: Figure) -> None:
    sound = flac(tmp_path, "film.flac", "-i", str(data("film/film_en.mp4")), "-vn")
    taken = take_in(worker, sound)
    begun = time.monotonic()
    result = worker.do("separate", SeparateRequest(audio=taken))
    figure(f"demucs (small): {result.duration_ms / 1000:.1f} s of film in {time.monotonic() - begun:.1f} s")
    made, expected = samples(worker.folder / result.vocals.path), narrowed(tmp_path, sound)
    assert abs(len(made) - len(expected)) <= 1
    for line in script("film_en"):
        loudness = energy(expected, line.start_ms, line.end_ms)
        assert energy(made, line.start_ms, line.end_ms) == pytest.approx(loudness, rel=0.05)


@pytest.mark.skipif(
    os.environ.get("CPW_REAL_MODELS") != "1" or not has_model("htdemucs"),
    reason="CPW_REAL_MODELS=1 is not set, or the store has no htdemucs",
)
def test_the_real_model_takes_the_battle_away_and_leaves_the_speech(tmp_path, figure: Figure) -> None:
    sound = flac(tmp_path, "film.flac", "-i", str(data("film/film_en.mp4")), "-vn")
    before = narrowed(tmp_path, sound)
    with LoneWorker.of("demucs") as real:
        real.wait_ready()
        begun = time.monotonic()
        result = real.do("separate", SeparateRequest(audio=take_in(real, sound)), budget_ms=1_800_000)
        took = time.monotonic() - begun
        after = samples(real.folder / result.vocals.path)
    assert abs(len(after) - len(before)) <= 1

    def contrast(heard: array.array[int]) -> float:
        lines = script("film_en")
        spoken = sum(energy(heard, line.start_ms, line.end_ms) for line in lines) / len(lines)
        pauses = [(one.end_ms + 500, two.start_ms - 500) for one, two in itertools.pairwise(lines)]
        quiet = [energy(heard, start, end) for start, end in pauses if end > start]
        return spoken / max(1.0, sum(quiet) / len(quiet))

    figure(
        f"demucs (htdemucs on {result.device}): speech to pauses {contrast(before):.1f} before, "
        f"{contrast(after):.1f} after; {result.duration_ms / 1000:.0f} s of film in {took:.0f} s"
    )
    assert contrast(after) > 2 * contrast(before)
