"""NLLB as a worker runs it, on models of its own class; nothing here is said of their words."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from protocol.errors import ErrorKind
from protocol.frames import Header
from protocol.messages import Ack, Cancel, Failure, Progress
from tests.checkpoints.nllb import MODEL, ask_transformers, make_nllb
from tests.checkpoints.texts import made_up
from tests.data import data
from tests.lone_translator import LoneTranslator, texts_of

pytestmark = [pytest.mark.env("nllb"), pytest.mark.slow, pytest.mark.timeout(300)]

NUMBERED = [f"{'word ' * (7 * place % 23)}at 12:30:{place:02}." for place in range(40)]
"""Lines of very different lengths, each with a time of day of its own."""


LINES = 4


def pressed(texts: Sequence[str]) -> list[str]:
    """Return the texts without spaces."""
    return ["".join(text.split()) for text in texts]


def flores(language: str, count: int) -> list[str]:
    return data(f"mt/flores200.{language}.devtest").read_text(encoding="utf-8").splitlines()[:count]


@pytest.mark.parametrize(("pair", "lines"), [("en-de", "eng"), ("pt-en", "por")])
def test_a_pair_that_indictrans2_has_not_goes_from_end_to_end(
    translator: LoneTranslator, pair: str, lines: str
) -> None:
    asked = flores(lines, 6)
    transcript, result = translator.translate(asked, pair, MODEL)

    assert (transcript.language, transcript.translated_from) == (pair[-2:], pair[:2])
    assert (result.engine, result.model) == ("nllb", MODEL)
    assert len(texts_of(transcript)) == len(asked)
    assert result.marks == {}, "a text is empty, far too long, in another script, or not translated"
    assert all(segment.words for segment in transcript.segments)


def test_a_batch_gives_what_transformers_gives_for_each_text_alone(
    small: LoneTranslator, small_store: Path
) -> None:
    # One sentence a line, of very different lengths: segments are then what the model was given.
    lines = [flore for flore in flores("eng", 40) if flore.count(".") == 1 and flore.endswith(".")]
    transcript, _ = small.translate(lines, "en-de", MODEL, batch_size=16)
    questions = [
        {"text": line, "source": "eng_Latn", "target": "deu_Latn", "beams": 4, "most_new_tokens": 400}
        for line in lines
    ]
    assert [segment.text for segment in transcript.segments] == ask_transformers(small_store, questions)
    assert len(lines) > 16


def test_texts_sorted_by_length_come_back_in_their_own_order(small: LoneTranslator) -> None:
    transcript, _ = small.translate(NUMBERED, "en-de", MODEL, batch_size=8)
    texts = texts_of(transcript)
    assert [f"12:30:{place:02}" in text for place, text in enumerate(texts)] == [True] * len(NUMBERED)


@pytest.mark.long  # indictrans2 does the same by the same code, within a minute
def test_the_text_is_the_same_with_one_lane_and_with_two_and_a_second_time(random_store: Path) -> None:
    found = []
    for threads in ("1", "2", "2"):
        with LoneTranslator("nllb", random_store, OMP_NUM_THREADS=threads) as translator:
            many, few = (
                texts_of(translator.translate(lines, "en-de", MODEL)[0]) for lines in (NUMBERED, NUMBERED[:3])
            )
            found.append((many, few))
    assert found[0] == found[1] == found[2]


@pytest.mark.long  # indictrans2 does the same by the same code, within a minute
def test_a_call_inside_another_changes_neither(random_store: Path) -> None:
    with LoneTranslator("nllb", random_store, OMP_NUM_THREADS="2") as translator:
        asked = ((flores("eng", 120), "en-de"), (flores("hin", 5), "hi-fr"))
        alone = [texts_of(translator.translate(lines, pair, MODEL)[0]) for lines, pair in asked]
        both = translator.translate_inside(*asked[0], *asked[1], MODEL)
    assert [texts_of(transcript) for transcript in both] == alone


def test_the_model_is_given_both_languages_and_the_script(random_store: Path) -> None:
    """Random weights answer another tag with other words in some line: equal ones are given equal tags."""
    lines = [line.removesuffix(" ।") for line in made_up()[-LINES:]]
    asked = [
        ("hi-de", ("hin_Deva", "deu_Latn"), {}),
        ("mr-de", ("mar_Deva", "deu_Latn"), {}),
        ("hi-zh", ("hin_Deva", "zho_Hans"), {}),
        ("hi-yue", ("hin_Deva", "yue_Hant"), {}),
        ("hi-zh", ("hin_Deva", "zho_Hant"), {"target_script": "Hant"}),
    ]
    with LoneTranslator("nllb", random_store) as translator:
        found = [
            pressed(texts_of(translator.translate(lines, pair, MODEL, beam_size=1, batch_size=1, **more)[0]))
            for pair, _, more in asked
        ]
    questions = [
        {"text": line, "source": source, "target": target, "beams": 1, "most_new_tokens": 20}
        for _, (source, target), _ in asked
        for line in lines
    ]
    answers = iter(pressed(ask_transformers(random_store, questions)))
    meant = [tuple(itertools.islice(answers, LINES)) for _ in asked]
    # Without beams, the first twenty tokens do not depend on how many more are asked for.
    for ours, theirs in zip(found, meant, strict=True):
        assert [one.startswith(other) for one, other in zip(ours, theirs, strict=True)] == [True] * LINES
    assert len(set(meant)) == len(meant)


def test_words_that_look_like_special_tokens_are_words(small: LoneTranslator) -> None:
    transcript, _ = small.translate(["Look at <pad> the </s> sign <s> deu_Latn there."], "en-de", MODEL)
    plain, _ = small.translate(["Look at the sign there."], "en-de", MODEL)
    words, fewer = (texts_of(translation)[0].split() for translation in (transcript, plain))
    assert len(words) > len(fewer)
    assert words[-1] == fewer[-1], "nothing is lost behind them"


def test_a_sentence_longer_than_the_models_positions_goes_in_pieces_and_is_whole_again(
    small: LoneTranslator, tmp_path: Path
) -> None:
    lines = [flore for flore in flores("eng", 40) if flore.count(".") == 1 and len(flore) > 150]
    make_nllb(tmp_path, positions=32)
    with LoneTranslator("nllb", tmp_path) as narrow:
        for pair in ("en-de", "en-zh"):
            in_pieces, _ = narrow.translate(lines, pair, MODEL)
            whole, _ = small.translate(lines, pair, MODEL)
            # Chinese has no space where two pieces meet.
            if pair == "en-de":
                assert texts_of(in_pieces) == texts_of(whole)
            else:
                pressed = ["".join(text.split()) for text in texts_of(whole)]
                assert ["".join(text.split()) for text in texts_of(in_pieces)] == pressed
                assert texts_of(in_pieces) != texts_of(whole)


def test_nothing_said_loads_no_model(small_store: Path) -> None:
    with LoneTranslator("nllb", small_store) as fresh:
        transcript, result = fresh.translate(["…", "♪"], "en-de", MODEL)
        assert [segment.text for segment in transcript.segments] == ["…", "♪"]
        assert result.segment_count == 2
        assert "loaded" not in fresh.worker.log.read_text()


def test_a_model_is_loaded_once_for_all_its_pairs(small_store: Path) -> None:
    with LoneTranslator("nllb", small_store) as fresh:
        for pair in ("en-de", "de-fr", "ja-en"):
            fresh.translate(["One two three."], pair, MODEL)
        assert fresh.worker.log.read_text().count("loaded nllb:") == 1


def test_a_cancelled_call_ends_within_its_batch(small: LoneTranslator) -> None:
    worker = small.worker
    header = Header(run="1", job="job-1", step="translate", attempt=900)
    request = small.request(flores("eng", 300), "en-de", MODEL, batch_size=300)
    worker.send(worker.call("translate", request), header)
    worker.next(Progress)
    worker.send(Cancel(), header)
    ended = worker.next(Failure).message
    worker.send(Ack(), header)
    assert ended.error.kind is ErrorKind.CANCELLED
    transcript, _ = small.translate(NUMBERED[:2], "en-de", MODEL)
    assert "12:30:01" in texts_of(transcript)[1]


@pytest.mark.parametrize(
    ("pair", "model", "options", "kind", "said"),
    [
        ("en-de", "nllb-200-3.3b", {}, ErrorKind.MISSING, "not in the model store"),
        ("en-br", MODEL, {}, ErrorKind.INPUT, "does not have the language Breton"),
        ("de-de", MODEL, {}, ErrorKind.INPUT, "nothing to translate"),
        ("en-de", MODEL, {"target_script": "Cyrl"}, ErrorKind.USAGE, "does not write German"),
        ("en-de", MODEL, {"device": "cuda:7"}, ErrorKind.USAGE, "does not have the device cuda:7"),
        ("en-de", MODEL, {"compute_type": "int8"}, ErrorKind.USAGE, "is not possible with 'int8'"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    small: LoneTranslator, pair: str, model: str, options: dict[str, str], kind: ErrorKind, said: str
) -> None:
    error = small.refuse(["Good morning."], pair, model, **options)
    assert error.kind is kind
    assert said in error.message


def test_a_model_that_lacks_a_file_is_refused(small_store: Path, tmp_path: Path) -> None:
    for file in ("model.safetensors", "config.json"):
        store = tmp_path / file
        shutil.copytree(small_store / MODEL, store / MODEL)
        (store / MODEL / file).unlink()
        with LoneTranslator("nllb", store) as translator:
            error = translator.refuse(["Good morning."], "en-de", MODEL)
            assert error.kind is ErrorKind.MISSING, error
            assert error.message == f"The file {store}/{MODEL}/{file} is missing."
            assert error.remedy == f"cpw models fetch {MODEL}"


def test_a_tokenizer_without_its_words_is_refused(small_store: Path, tmp_path: Path) -> None:
    """transformers 5 makes an empty one, by which every translation is empty, and says nothing."""
    shutil.copytree(small_store / MODEL, tmp_path / MODEL)
    (tmp_path / MODEL / "tokenizer.json").unlink()
    with LoneTranslator("nllb", tmp_path) as translator:
        error = translator.refuse(["Good morning."], "en-de", MODEL)
        assert error.kind is ErrorKind.MISSING
        assert "tokenizer" in error.message
