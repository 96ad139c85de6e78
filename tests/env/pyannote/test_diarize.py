"""diarize by a real worker with the real models: who speaks when, and that one voice is one."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator

import pytest

from envspecs.models.registry import has_model
from protocol.artefacts import Artefact
from protocol.jobs.voices import Voices
from protocol.schema import from_plain
from protocol.stages.diarize import DiarizeRequest, DiarizeResult
from protocol.timeline import Turn
from tests.conftest import Figure
from tests.data import two_speakers
from tests.lone_worker import LoneWorker
from tests.speaker_scores import error_rate, read_rttm

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
    true = read_rttm(two_speakers().with_suffix(".rttm"))
    result = tell(worker, sample, speakers=speakers)
    found = timeline(worker, result)
    rate = error_rate(true, found, SAMPLE_MS)
    alone = error_rate(true, [Turn(start_ms=0, end_ms=SAMPLE_MS, speaker="1")], SAMPLE_MS)
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
