"""diarize by a real worker with the real models: who speaks when, and that one voice is one."""

from __future__ import annotations

import itertools
import json
import math
import subprocess
from collections.abc import Iterator
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


def tell(worker: LoneWorker, audio: Artefact, **options: object) -> DiarizeResult:
    result: DiarizeResult = worker.do("diarize", DiarizeRequest(audio=audio, **options))  # type: ignore[arg-type]  # (fields by name)
    assert all(one.end_ms <= two.start_ms for one, two in itertools.pairwise(result.turns))
    assert [speaker.id for speaker in result.speakers] == [
        str(number + 1) for number in range(len(result.speakers))
    ]
    assert list(dict.fromkeys(turn.speaker for turn in result.turns)) == [one.id for one in result.speakers]
    return result


def timeline(worker: LoneWorker, result: DiarizeResult) -> tuple[Turn, ...]:
    written = json.loads((worker.folder / result.timeline.path).read_bytes())
    assert written["version"] == 1
    return tuple(from_plain(Turn, turn) for turn in written["turns"])


def voices(worker: LoneWorker, result: DiarizeResult) -> Voices:
    return from_plain(Voices, json.loads((worker.folder / result.voices.path).read_bytes()))


@pytest.mark.parametrize(("speakers", "most"), [("2", 0.15), ("", 0.25)])
def test_two_people_on_the_telephone_are_told_apart(
    worker: LoneWorker, sample: Artefact, figure: Figure, speakers: str, most: float
) -> None:
    result = tell(worker, sample, speakers=speakers)
    found = timeline(worker, result)
    true = read_rttm(two_speakers().with_suffix(".rttm"))
    rate, alone = error_rates(true, [found, all_one(found)], SAMPLE_MS)
    figure(f"diarize, speakers={speakers or 'not said'}: error rate {rate:.1%}; all one speaker {alone:.1%}")
    assert rate <= most
    assert len(result.speakers) == 2
    # They speak at once for a moment: the timeline says so, and the turns do not.
    assert any(one.end_ms > two.start_ms for one, two in itertools.pairwise(found))


def test_voices_are_of_length_one_and_unlike(worker: LoneWorker, sample: Artefact) -> None:
    result = tell(worker, sample)
    heard = voices(worker, result)
    assert heard.model == result.model == DiarizeRequest.model
    assert [(voice.id, voice.speech_ms) for voice in heard.voices] == [
        (speaker.id, speaker.speech_ms) for speaker in result.speakers
    ]
    assert all(math.hypot(*voice.embedding) == pytest.approx(1, abs=1e-3) for voice in heard.voices)
    one, two = (voice.embedding for voice in heard.voices)
    assert sum(first * second for first, second in zip(one, two, strict=True)) < 0.7


def test_all_is_the_same_from_run_to_run(worker: LoneWorker, sample: Artefact) -> None:
    first, again, small = tell(worker, sample), tell(worker, sample), tell(worker, sample, batch_size=1)
    assert first == again
    assert voices(worker, first) == voices(worker, again)
    assert timeline(worker, small) == timeline(worker, first)
    assert small.speakers == first.speakers


def test_one_voice_is_one_whatever_it_says(worker: LoneWorker) -> None:
    # Five recordings of one reader, over a battle.
    talk = make_talk(worker.folder, ["austen"], 40)
    assert len(tell(worker, describe_file(talk.path, talk.path.name)).speakers) == 1


def test_silence_has_no_speakers_however_long(worker: LoneWorker) -> None:
    for name, count in (("empty.wav", 0), ("word.wav", 1_700), ("silence.wav", 12 * RATE)):
        write(worker.folder / name, np.zeros(count, np.float32))
        result = tell(worker, describe_file(worker.folder / name, name))
        assert (result.turns, result.speakers, voices(worker, result).voices) == ((), (), ()), name


def test_what_cannot_be_done_is_refused_in_a_sentence(worker: LoneWorker, sample: Artefact) -> None:
    missing = worker.refuse("diarize", DiarizeRequest(audio=sample, model="speakers-nine"))
    assert missing.kind is ErrorKind.MISSING
    assert missing.remedy == "cpw models fetch speakers-nine"
    wrong = worker.refuse("diarize", DiarizeRequest(audio=sample, model=VadRequest.model))
    assert wrong.kind is ErrorKind.INPUT
    assert "cannot tell voices apart" in wrong.message
    assert worker.refuse("diarize", DiarizeRequest(audio=sample, speakers="many")).kind is ErrorKind.USAGE


def test_the_worker_keeps_both_models(worker: LoneWorker, sample: Artefact) -> None:
    tell(worker, sample)
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
        # Eleven seconds: the network is ten times as large as that of CAM++.
        write(worker.folder / "short.wav", read(two_speakers())[6 * RATE : 17 * RATE])
        audio = describe_file(worker.folder / "short.wav", "short.wav")
        result = tell(worker, audio, model=folder.name, speakers="1-2")
        assert 1 <= len(result.speakers) <= 2
        heard = voices(worker, result)
        assert (heard.model, result.model) == (folder.name, folder.name)
        assert all(math.hypot(*voice.embedding) == pytest.approx(1, abs=1e-3) for voice in heard.voices)
        spoken_ms = sum(turn.end_ms - turn.start_ms for turn in result.turns)
        assert 6_000 < spoken_ms < 11_000
