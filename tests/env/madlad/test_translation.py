"""MADLAD-400 as a worker runs it, on a small model of its shape; nothing here is said of its words."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

import envspecs
from envspecs.models.registry import has_model, read_manifest, read_registry
from protocol.errors import ErrorKind
from protocol.frames import Header
from protocol.messages import Ack, Cancel, Failure, Progress
from tests.checkpoints.madlad import MODEL, ask_ctranslate2, make_madlad
from tests.lone_translator import LoneTranslator, texts_of

pytestmark = [pytest.mark.env("madlad"), pytest.mark.slow, pytest.mark.timeout(300)]

PLACES = [
    "harbour",
    "mountain",
    "village",
    "river",
    "garden",
    "station",
    "market",
    "island",
    "castle",
    "bridge",
]
LINES = [f"The {place} is {'far ' * (7 * number % 23)}away." for number, place in enumerate(PLACES * 2)]
"""One sentence a line, of very different lengths."""
MANY = [f"{line[:-1]} {number}." for number, line in enumerate(LINES * 20)]


def pressed(texts: Sequence[str]) -> list[str]:
    """Return the texts without spaces: a transcript has single ones."""
    return ["".join(text.split()) for text in texts]


def test_a_batch_gives_what_ctranslate2_gives_for_each_text_alone(
    small: LoneTranslator, small_store: Path
) -> None:
    transcript, result = small.translate(LINES, "en-de", MODEL, batch_size=7)
    assert (transcript.language, transcript.translated_from) == ("de", "en")
    assert (result.engine, result.model, result.segment_count) == ("madlad", MODEL, len(LINES))
    assert pressed(texts_of(transcript)) == pressed(ask_ctranslate2(small_store, "<2de>", LINES))
    assert len(set(texts_of(transcript))) > len(LINES) / 2
    assert all(segment.words for segment in transcript.segments)


def test_the_small_model_is_told_to_begin_and_to_end_as_the_real_one(small_store: Path) -> None:
    made = read_manifest(small_store / MODEL)
    assert made is not None
    sources = read_registry()[MODEL].sources
    real = {source.files["config.json"].sha256 for source in sources if "config.json" in source.files}
    assert real == {made.files["config.json"].sha256}


def test_the_model_is_given_the_language_and_the_script_that_are_asked_for(
    small: LoneTranslator, small_store: Path
) -> None:
    """Random weights answer another tag with other words: equal ones were given equal tags."""
    asked = [
        ("en-de", "<2de>", {}),
        ("hi-de", "<2de>", {}),
        ("en-zh", "<2zh>", {}),
        ("en-zh", "<2zh_Hant>", {"target_script": "Hant"}),
        ("en-jw", "<2jv>", {}),
        ("en-tl", "<2fil>", {}),
    ]
    lines = LINES[1:4]
    found, meant = {}, {}
    for pair, tag, fields in asked:
        transcript, _ = small.translate(lines, pair, MODEL, **fields)
        found[pair, tag] = pressed(texts_of(transcript))
        meant[pair, tag] = pressed(ask_ctranslate2(small_store, tag, lines))
    assert found == meant
    assert len({tuple(texts) for texts in meant.values()}) == len({tag for _, tag, _ in asked})


def test_a_tag_that_is_said_is_letters(small: LoneTranslator, small_store: Path) -> None:
    transcript, _ = small.translate(["The <2fr> sign </s> is away."], "en-de", MODEL)
    letters, tag = (
        pressed(ask_ctranslate2(small_store, "<2de>", [f"The {sign} sign </s> is away."]))
        for sign in ("< 2fr>", "<2fr>")
    )
    assert pressed(texts_of(transcript)) == letters != tag


def test_a_sentence_that_is_too_long_goes_in_pieces_and_is_whole_again(
    small: LoneTranslator, small_store: Path
) -> None:
    # Hardly more letters than tokens: a sentence of more than 400 letters is two already.
    clauses = [" ".join([word] * 32) for word in ("qxzqj", "zjqxq")]
    meant = pressed(ask_ctranslate2(small_store, "<2de>", [f"{clauses[0]},", f"{clauses[1]}."]))
    transcript, _ = small.translate([f"{clauses[0]}, {clauses[1]}."], "en-de", MODEL)
    assert pressed(texts_of(transcript)) == ["".join(meant)]


@pytest.mark.long  # indictrans2 does the same by lanes of its own, within a minute
def test_the_text_is_the_same_with_one_lane_and_with_two_and_a_second_time(small_store: Path) -> None:
    found = []
    for threads in ("1", "2", "2"):
        with LoneTranslator("madlad", small_store, OMP_NUM_THREADS=threads) as translator:
            many, few = (
                texts_of(translator.translate(lines, "en-de", MODEL)[0]) for lines in (LINES, LINES[:3])
            )
            found.append((many, few))
    assert found[0] == found[1] == found[2]


def test_a_call_inside_another_changes_neither(small_store: Path) -> None:
    with LoneTranslator("madlad", small_store, OMP_NUM_THREADS="2") as translator:
        asked = ((MANY, "en-de"), (LINES[:5], "hi-fr"))
        alone = [texts_of(translator.translate(lines, pair, MODEL)[0]) for lines, pair in asked]
        both = translator.translate_inside(*asked[0], *asked[1], MODEL)
    assert [texts_of(transcript) for transcript in both] == alone


def test_nothing_said_loads_no_model_and_a_model_is_loaded_once_for_all_its_pairs(small_store: Path) -> None:
    with LoneTranslator("madlad", small_store) as fresh:
        transcript, _ = fresh.translate(["…", "♪"], "en-de", MODEL)
        assert [segment.text for segment in transcript.segments] == ["…", "♪"]
        assert "loaded" not in fresh.worker.log.read_text()
        for pair in ("en-de", "de-fr", "ja-en"):
            fresh.translate(["One two three."], pair, MODEL)
        assert fresh.worker.log.read_text().count("loaded madlad:") == 1


def test_a_cancelled_call_ends_within_its_batch(small: LoneTranslator) -> None:
    worker = small.worker
    header = Header(run="1", job="job-1", step="translate", attempt=900)
    worker.send(worker.call("translate", small.request(MANY, "en-de", MODEL, batch_size=400)), header)
    worker.next(Progress)
    worker.send(Cancel(), header)
    ended = worker.next(Failure).message
    worker.send(Ack(), header)
    assert ended.error.kind is ErrorKind.CANCELLED
    transcript, _ = small.translate(LINES[:2], "en-de", MODEL)
    assert len(texts_of(transcript)) == 2


@pytest.mark.parametrize(
    ("pair", "model", "options", "kind", "said"),
    [
        ("en-de", "madlad400-7b-mt-bt", {}, ErrorKind.MISSING, "not in the model store"),
        ("en-yue", MODEL, {}, ErrorKind.INPUT, "does not have the language Cantonese"),
        ("en-sv", MODEL, {}, ErrorKind.MISSING, "does not have the language <2sv>"),
        ("de-de", MODEL, {}, ErrorKind.INPUT, "nothing to translate"),
        ("en-de", MODEL, {"target_script": "Cyrl"}, ErrorKind.USAGE, "does not write German"),
        ("en-de", MODEL, {"device": "cuda:7"}, ErrorKind.USAGE, "does not have the device cuda:7"),
        ("en-de", MODEL, {"device": "mps"}, ErrorKind.USAGE, "'mps' is not a device"),
        ("en-de", MODEL, {"compute_type": "int3"}, ErrorKind.USAGE, "cannot compute with 'int3'"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    small: LoneTranslator, pair: str, model: str, options: dict[str, str], kind: ErrorKind, said: str
) -> None:
    error = small.refuse(["Good morning."], pair, model, **options)
    assert error.kind is kind
    assert said in error.message


@pytest.mark.parametrize("file", ["model.bin", "config.json", "shared_vocabulary.json", "spiece.model"])
def test_a_model_that_lacks_a_file_is_refused(small_store: Path, tmp_path: Path, file: str) -> None:
    shutil.copytree(small_store / MODEL, tmp_path / MODEL)
    (tmp_path / MODEL / file).unlink()
    with LoneTranslator("madlad", tmp_path) as translator:
        error = translator.refuse(["Good morning."], "en-de", MODEL)
    assert error.kind is ErrorKind.MISSING, error
    assert file in error.message
    assert error.remedy == f"cpw models fetch {MODEL}"


def test_a_conversion_may_name_the_tokenizer_otherwise(
    small: LoneTranslator, small_store: Path, tmp_path: Path
) -> None:
    make_madlad(tmp_path, tokenizer="sentencepiece.model")
    with LoneTranslator("madlad", tmp_path) as other:
        found = [texts_of(one.translate(LINES[:3], "en-de", MODEL)[0]) for one in (small, other)]
    assert found[0] == found[1]
    assert not (tmp_path / MODEL / "spiece.model").exists()


@pytest.mark.skipif(os.environ.get("CPW_REAL_MODELS") != "1", reason="CPW_REAL_MODELS=1 asks for it")
def test_the_real_model_translates() -> None:
    store = envspecs.models_directory()
    if not has_model(MODEL, store):
        pytest.skip(f"the model {MODEL} is not in the store")
    with LoneTranslator("madlad", store) as real:
        transcript, result = real.translate(["Where is the river?"], "en-de", MODEL)
    assert result.marks == {}
    assert "Fluss" in texts_of(transcript)[0]
