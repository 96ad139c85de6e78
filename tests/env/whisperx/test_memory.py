"""A budget of memory held by the real engine with real models: what is unloaded, and what is resident."""

from __future__ import annotations

import json
import re
import wave
from pathlib import Path

import psutil
import pytest

import envspecs
from protocol.messages import LoadedModel, State
from protocol.stages.asr import AsrRequest
from tests.conftest import Figure
from tests.data import two_speakers
from tests.lone_worker import LoneWorker
from tests.rss import Watch

pytestmark = [pytest.mark.env("whisperx"), pytest.mark.slow, pytest.mark.timeout(600)]

MB = 1_000_000
CLIP_S = 8
MODELS = ("whisper-base", "whisper-second", "whisper-third")
CALLS = (0, 1, 0, 2, 1, 0)
"""Each model comes again after the others: the one that was not used for longest goes."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with three models: one under three names."""
    folder = tmp_path_factory.mktemp("store")
    origin = envspecs.models_directory() / MODELS[0]
    for name in MODELS:
        (folder / name).mkdir()
        for file in origin.iterdir():
            if file.name != "manifest.json":
                (folder / name / file.name).symlink_to(file)
        manifest = json.loads((origin / "manifest.json").read_text())
        (folder / name / "manifest.json").write_text(json.dumps(manifest | {"id": name}))
    return folder


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return some seconds of speech."""
    path = tmp_path_factory.mktemp("clip") / "clip.wav"
    with wave.open(str(two_speakers())) as whole, wave.open(str(path), "wb") as cut:
        cut.setparams(whole.getparams())
        whole.setpos(7 * whole.getframerate())
        cut.writeframes(whole.readframes(CLIP_S * whole.getframerate()))
    return path


def recognise(worker: LoneWorker, clip: Path, calls: tuple[int, ...]) -> int:
    """Recognise the clip by each of these models; return the most that was resident meanwhile, in bytes."""
    audio = worker.take_in(clip, "audio.wav")
    with Watch(worker.process.pid) as watch:
        for number in calls:
            found = worker.do("asr", AsrRequest(audio=audio, language="en", model=MODELS[number]))
            assert found.segment_count > 0
    return watch.highest


def loaded(worker: LoneWorker) -> dict[str, LoadedModel]:
    state = worker.next(State).message
    while not state.rss_bytes:
        state = worker.next(State).message
    return {re.split("[:@]", model.key)[1]: model for model in state.models}


def check_order(log: str) -> list[str]:
    """Replay the log: what was unloaded was the one not used for longest. Return what was unloaded."""
    used: list[str] = []
    gone = []
    calls = iter(CALLS)
    for line in re.findall(r"asr begins|unloaded whisper:\S+@", log):
        if line == "asr begins":
            current = MODELS[next(calls)]
            used = [model for model in used if model != current] + [current]
        else:
            name = re.split("[:@]", line)[1]
            assert name == used[0], f"{used} were used in this order, and {name} went"
            assert name != used[-1], "the running call uses it"
            gone.append(used.pop(0))
    return gone


def most_held(log: str) -> int:
    """Return how many Whisper models were in memory at once."""
    held = most = 0
    for line in re.findall(r"(?:un)?loaded whisper", log):
        held += 1 if line.startswith("loaded") else -1
        most = max(most, held)
    return most


def test_a_budget_that_does_not_hold_three_whisper_models_is_kept(
    store: Path, clip: Path, figure: Figure
) -> None:
    options = ("--load", "first-use", "--ram-mb")
    with LoneWorker.of("whisperx", models=store, options=(*options, "1000000")) as worker:
        worker.wait_ready()
        most = recognise(worker, clip, (0, 1, 2, 0, 1, 2))
        sizes = {name: model.bytes for name, model in loaded(worker).items() if name in MODELS}
        assert set(sizes) == set(MODELS)
    # Three do not fit. Whether two do depends on what a call takes beside them: the worker keeps that free,
    # and what it expects a load to need, which is more than it then takes.
    budget_mb = round((most - 0.5 * min(sizes.values())) / MB)
    with LoneWorker.of("whisperx", models=store, options=(*options, str(budget_mb))) as worker:
        worker.wait_ready()
        bare = psutil.Process(worker.process.pid).memory_info().rss
        highest = recognise(worker, clip, CALLS)
        log = worker.log.read_text()
        gone = check_order(log)
        shown = ", ".join(f"{name} {size / MB:.0f} MB" for name, size in sizes.items())
        figure(
            f"memory, whisperx: {shown}; without a budget at most {most / MB:.0f} MB; budget {budget_mb} MB, "
            f"{bare / MB:.0f} MB when ready, at most {highest / MB:.0f} MB; unloaded {' '.join(gone)}"
        )
        assert gone
        assert most_held(log) <= 2
        assert highest < 1.1 * budget_mb * MB
