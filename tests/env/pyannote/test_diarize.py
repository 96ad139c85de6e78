"""diarize by a real worker with the real models: who speaks when, and that one voice is one."""

from __future__ import annotations

import itertools
import json
import math
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import envspecs
from envspecs.models.registry import has_model, model_path
from protocol.artefacts import Artefact, describe_file
from protocol.errors import ErrorKind
from protocol.frames import Header
from protocol.jobs.voices import Voices
from protocol.messages import Ack, Cancel, Failure, Progress
from protocol.schema import from_plain
from protocol.stages.diarize import DiarizeRequest, DiarizeResult
from protocol.stages.vad import VadRequest
from protocol.timeline import Turn
from tests.checkpoints import speakers
from tests.conftest import Figure
from tests.data import two_speakers
from tests.lone_worker import LoneWorker
from tests.speaker_scores import all_one, error_rates, read_rttm
from tests.talks import RATE, make_talk, read, write

pytestmark = [
    pytest.mark.env("common", "pyannote"),
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        not has_model(DiarizeRequest.model),
        reason=f"the model is not in the store: python3 -m envspecs models fetch {DiarizeRequest.model}",
    ),
]

SAMPLE_MS = 30_000


@pytest.fixture(scope="module")
def worker() -> Iterator[LoneWorker]:
    """Return a worker that lives as long as these tests, as it does for a person."""
    with LoneWorker.of("pyannote") as alive:
        alive.wait_ready()
        yield alive


@pytest.fixture(scope="module")
def sample(worker: LoneWorker) -> Artefact:
    """Return thirty seconds of two people on the telephone."""
    return worker.take_in(two_speakers(), "sample.wav")


@dataclass(frozen=True)
class Told:
    """A result with its files, as they were before the next call wrote others."""

    result: DiarizeResult
    timeline: tuple[Turn, ...]
    voices: Voices


def tell(worker: LoneWorker, audio: Artefact, **options: object) -> Told:
    result: DiarizeResult = worker.do("diarize", DiarizeRequest(audio=audio, **options))  # type: ignore[arg-type]  # (fields by name)
    assert all(one.end_ms <= two.start_ms for one, two in itertools.pairwise(result.turns))
    ids = [speaker.id for speaker in result.speakers]
    assert ids == [str(number + 1) for number in range(len(ids))]
    assert list(dict.fromkeys(turn.speaker for turn in result.turns)) == ids
    written = json.loads((worker.folder / result.timeline.path).read_bytes())
    assert written["version"] == 1
    return Told(
        result=result,
        timeline=tuple(from_plain(Turn, turn) for turn in written["turns"]),
        voices=from_plain(Voices, json.loads((worker.folder / result.voices.path).read_bytes())),
    )


@pytest.fixture(scope="module")
def told(worker: LoneWorker, sample: Artefact) -> Told:
    """Return who speaks in the sample, where nobody said how many."""
    return tell(worker, sample)


def test_two_people_on_the_telephone_are_told_apart(
    worker: LoneWorker, sample: Artefact, told: Told, figure: Figure
) -> None:
    two = tell(worker, sample, speakers="2")
    true = read_rttm(two_speakers().with_suffix(".rttm"))
    sets = [told.timeline, two.timeline, all_one(told.timeline)]
    unknown, known, alone = error_rates(true, sets, SAMPLE_MS)
    figure(f"diarize: error rate {unknown:.1%}, of two {known:.1%}, all one speaker {alone:.1%}")
    assert unknown <= 0.25
    assert known <= 0.15
    assert len(told.result.speakers) == len(two.result.speakers) == 2
    # They speak at once for a moment: the timeline says so, and the turns do not.
    assert any(one.end_ms > two.start_ms for one, two in itertools.pairwise(told.timeline))


def test_voices_are_of_length_one_and_unlike(told: Told) -> None:
    assert told.voices.model == told.result.model == DiarizeRequest.model
    assert [(voice.id, voice.speech_ms) for voice in told.voices.voices] == [
        (speaker.id, speaker.speech_ms) for speaker in told.result.speakers
    ]
    one, two = (voice.embedding for voice in told.voices.voices)
    assert math.hypot(*one) == pytest.approx(1, abs=1e-3)
    assert math.hypot(*two) == pytest.approx(1, abs=1e-3)
    assert sum(first * second for first, second in zip(one, two, strict=True)) < 0.7


def test_all_is_the_same_from_run_to_run(worker: LoneWorker, sample: Artefact, told: Told) -> None:
    assert tell(worker, sample) == told
    single = tell(worker, sample, batch_size=1)
    assert (single.timeline, single.result.speakers) == (told.timeline, told.result.speakers)


def test_one_voice_is_one_whatever_it_says(worker: LoneWorker) -> None:
    # Five recordings of one reader, over a battle.
    talk = make_talk(worker.folder, ["austen"], 40)
    assert len(tell(worker, describe_file(talk.path, talk.path.name)).result.speakers) == 1


def test_silence_has_no_speakers_however_long(worker: LoneWorker) -> None:
    for name, count in (("empty.wav", 0), ("word.wav", 1_700), ("silence.wav", 12 * RATE)):
        write(worker.folder / name, np.zeros(count, np.float32))
        told = tell(worker, describe_file(worker.folder / name, name))
        found = (told.result.turns, told.result.speakers, told.timeline, told.voices.voices)
        assert found == ((), (), (), ()), name


def test_what_cannot_be_done_is_refused_in_a_sentence(worker: LoneWorker, sample: Artefact) -> None:
    missing = worker.refuse("diarize", DiarizeRequest(audio=sample, model="speakers-nine"))
    assert missing.kind is ErrorKind.MISSING
    assert missing.remedy == "cpw models fetch speakers-nine"
    wrong = worker.refuse("diarize", DiarizeRequest(audio=sample, model=VadRequest.model))
    assert wrong.kind is ErrorKind.INPUT
    assert "cannot tell voices apart" in wrong.message
    assert worker.refuse("diarize", DiarizeRequest(audio=sample, speakers="many")).kind is ErrorKind.USAGE


@pytest.mark.usefixtures("told")
def test_the_worker_keeps_both_models(worker: LoneWorker, sample: Artefact) -> None:
    worker.do("vad", VadRequest(audio=sample))
    loaded = worker.log.read_text()
    assert loaded.count(f"loaded speakers:{DiarizeRequest.model}@") == 1
    assert loaded.count(f"loaded pyannote:{VadRequest.model}@") == 1


def test_a_cancelled_call_ends(worker: LoneWorker) -> None:
    path = worker.folder / "long.wav"
    write(path, np.tile(read(two_speakers()), 40))
    header = Header(run="1", job="job-1", step="diarize", attempt=1_000)
    worker.send(worker.call("diarize", DiarizeRequest(audio=describe_file(path, path.name))), header)
    assert worker.next(Progress).message.note == "telling speakers apart"
    worker.send(Cancel(), header)
    failure = worker.next(Failure).message
    worker.send(Ack(), header)
    assert failure.error.kind is ErrorKind.CANCELLED


def test_a_pipeline_of_pyannote_gives_what_the_contract_says(tmp_path: Path) -> None:
    # community-1 itself asks for a token; this has its form, and an embedding that knows nothing.
    folder = tmp_path / "speakers-community-1"
    maker = Path(speakers.__file__)
    segmentation = model_path(DiarizeRequest.model) / "pytorch_model.bin"
    python = envspecs.interpreter("pyannote")
    subprocess.run([python, "-W", "ignore", maker, segmentation, folder], check=True)
    with LoneWorker.of("pyannote", models=tmp_path) as worker:
        worker.wait_ready()
        # Two windows are enough to have all of the code run.
        write(worker.folder / "short.wav", read(two_speakers())[6 * RATE : 17 * RATE])
        audio = describe_file(worker.folder / "short.wav", "short.wav")
        told = tell(worker, audio, model=folder.name, speakers="1-2")
    assert 1 <= len(told.result.speakers) <= 2
    assert (told.voices.model, told.result.model) == (folder.name, folder.name)
    assert all(math.hypot(*voice.embedding) == pytest.approx(1, abs=1e-3) for voice in told.voices.voices)
    spoken_ms = sum(turn.end_ms - turn.start_ms for turn in told.result.turns)
    assert 6_000 < spoken_ms < 11_000
