"""IndicTrans2 as a worker runs it, on models of the real shape; nothing here is said of their words."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import envspecs
from protocol.errors import ErrorKind
from protocol.frames import Header
from protocol.messages import Ack, Cancel, Failure, Progress
from tests.checkpoints.indictrans2 import MODELS, make_indictrans2, tag_word
from tests.data import ROOT, data
from tests.lone_translator import LoneTranslator, texts_of
from workers.text.flores import INDICTRANS2

pytestmark = [pytest.mark.env("indictrans2"), pytest.mark.slow, pytest.mark.timeout(300)]

EN_INDIC, INDIC_EN, INDIC_INDIC = MODELS["en-indic"], MODELS["indic-en"], MODELS["indic-indic"]
NUMBERED = [f"{'word ' * (7 * place % 23)}at 12:30:{place:02}." for place in range(40)]
"""Lines of very different lengths, each with a time of day of its own."""


def flores(language: str, count: int) -> list[str]:
    return data(f"mt/flores200.{language}.devtest").read_text(encoding="utf-8").splitlines()[:count]


def batches(record: Path) -> list[list[int]]:
    """Return (sentences, tokens) of every batch that the small models were given."""
    return [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []


@pytest.mark.parametrize(
    ("pair", "lines", "direction"),
    [("hi-en", "hin", "indic-en"), ("en-gu", "eng", "en-indic"), ("hi-ta", "hin", "indic-indic")],
)
def test_each_of_the_three_directions_goes_from_end_to_end(
    translator: LoneTranslator, pair: str, lines: str, direction: str
) -> None:
    asked = flores(lines, 6)
    transcript, result = translator.translate(asked, pair, MODELS[direction])

    assert (transcript.language, transcript.translated_from) == (pair[-2:], pair[:2])
    assert (result.engine, result.model) == ("indictrans2", MODELS[direction])
    assert len(texts_of(transcript)) == len(asked)
    assert result.marks == {}, "a text is empty, far too long, in another script, or not translated"
    assert all(segment.words for segment in transcript.segments)


def test_the_model_is_given_both_languages_tags(small: LoneTranslator, small_store: Path) -> None:
    for target, tag in (("hi", "hin_Deva"), ("mr", "mar_Deva"), ("ne", "npi_Deva")):
        transcript, _ = small.translate(["Good morning to you."], f"en-{target}", EN_INDIC)
        meant = [tag_word(small_store, EN_INDIC, code) for code in ("eng_Latn", tag)]
        assert texts_of(transcript)[0].split()[:2] == meant


def test_another_script_is_another_tag(small: LoneTranslator, small_store: Path) -> None:
    def second_word(**options: str) -> str:
        transcript, _ = small.translate(["Good morning to you."], "en-ks", EN_INDIC, **options)
        return texts_of(transcript)[0].split()[1]

    assert second_word() == tag_word(small_store, EN_INDIC, "kas_Arab")
    assert second_word(target_script="Deva") == tag_word(small_store, EN_INDIC, "kas_Deva")


def test_texts_sorted_by_length_come_back_in_their_own_order(small: LoneTranslator) -> None:
    transcript, _ = small.translate(NUMBERED, "en-hi", EN_INDIC, batch_size=8)
    texts = texts_of(transcript)
    assert [f"12:30:{place:02}" in text for place, text in enumerate(texts)] == [True] * len(NUMBERED)


def test_a_sentence_is_translated_the_same_alone_and_in_a_batch(small: LoneTranslator) -> None:
    lines = flores("eng", 12)
    together, _ = small.translate(lines, "en-hi", EN_INDIC, batch_size=12)
    alone = [texts_of(small.translate([line], "en-hi", EN_INDIC)[0])[0] for line in lines[::4]]
    assert texts_of(together)[::4] == alone


def test_the_text_is_the_same_with_one_lane_and_with_two_and_a_second_time(small_store: Path) -> None:
    found = []
    for threads in ("1", "2", "2"):
        with LoneTranslator("indictrans2", small_store, OMP_NUM_THREADS=threads) as translator:
            many, few = (
                texts_of(translator.translate(lines, "en-hi", EN_INDIC)[0])
                for lines in (NUMBERED, NUMBERED[:3])
            )
            found.append((many, few))
    assert found[0] == found[1] == found[2]


def test_a_call_inside_another_changes_neither(small_store: Path) -> None:
    with LoneTranslator("indictrans2", small_store, OMP_NUM_THREADS="2") as translator:
        asked = ((flores("eng", 300), "en-hi"), (NUMBERED[:5], "en-ta"))
        alone = [texts_of(translator.translate(lines, pair, EN_INDIC)[0]) for lines, pair in asked]
        both = translator.translate_inside(*asked[0], *asked[1], EN_INDIC)
    assert [texts_of(transcript) for transcript in both] == alone


def test_every_sentence_goes_through_the_model_once_in_full_batches_of_one_length(
    small: LoneTranslator, record: Path
) -> None:
    before = len(batches(record))
    lines = [*NUMBERED, NUMBERED[3], NUMBERED[3]]
    small.translate(lines, "en-hi", EN_INDIC, batch_size=16)
    found = batches(record)[before:]
    assert [sentences for sentences, _ in found] == [16, 16, 8], "each different sentence once"
    assert [tokens for _, tokens in found] == sorted((tokens for _, tokens in found), reverse=True)
    assert found[0][1] > 2 * found[-1][1], "the short ones are not padded to the length of the long"


def test_a_sentence_longer_than_the_models_positions_goes_in_pieces(
    small: LoneTranslator, record: Path
) -> None:
    before = len(batches(record))
    endless = "ङञणङञ" * 75
    transcript, _ = small.translate([f"{endless} 12:30:45"], "hi-en", INDIC_EN)
    found = batches(record)[before:]
    assert sum(sentences for sentences, _ in found) > 1
    assert all(tokens <= 256 for _, tokens in found)
    (text,) = texts_of(transcript)
    tags = [tag_word_of for tag_word_of in text.split() if tag_word_of == text.split()[0]]
    assert len(tags) == sum(sentences for sentences, _ in found), "all pieces, in one text"
    assert "12:30:45" in text


def test_words_that_look_like_special_tokens_are_words(small: LoneTranslator) -> None:
    transcript, _ = small.translate(["Look at <pad> the </s> sign <s> there."], "en-hi", EN_INDIC)
    plain, _ = small.translate(["Look at the sign there."], "en-hi", EN_INDIC)
    words, fewer = (texts_of(translation)[0].split() for translation in (transcript, plain))
    assert len(words) > len(fewer)
    assert words[-1] == fewer[-1], "nothing is lost behind them"


def test_nothing_said_loads_no_model(small_store: Path) -> None:
    with LoneTranslator("indictrans2", small_store) as fresh:
        transcript, result = fresh.translate(["…", "♪"], "en-hi", EN_INDIC)
        assert [segment.text for segment in transcript.segments] == ["…", "♪"]
        assert result.segment_count == 2
        assert "loaded" not in fresh.worker.log.read_text()


def test_a_model_is_loaded_once(small_store: Path) -> None:
    with LoneTranslator("indictrans2", small_store) as fresh:
        for model, pair in ((EN_INDIC, "en-hi"), (INDIC_EN, "hi-en"), (EN_INDIC, "en-ta")):
            fresh.translate(["One two three."], pair, model)
        loaded = [line for line in fresh.worker.log.read_text().splitlines() if "loaded indictrans2:" in line]
        assert len(loaded) == 2


def test_a_cancelled_call_ends_within_its_batch_and_leaves_nothing_to_the_next(small: LoneTranslator) -> None:
    worker = small.worker
    header = Header(run="1", job="job-1", step="translate", attempt=900)
    request = small.request(flores("eng", 300), "en-hi", EN_INDIC, batch_size=300)
    worker.send(worker.call("translate", request), header)
    worker.next(Progress)
    worker.send(Cancel(), header)
    ended = worker.next(Failure).message
    worker.send(Ack(), header)
    assert ended.error.kind is ErrorKind.CANCELLED
    assert ended.duration_ms < 60_000

    # Its sentences' numbers were put aside for words that never came; the next call has its own.
    transcript, _ = small.translate(NUMBERED[:5], "en-hi", EN_INDIC)
    assert [f"12:30:{place:02}" in text for place, text in enumerate(texts_of(transcript))] == [True] * 5


@pytest.mark.parametrize(
    ("pair", "model", "options", "kind", "said"),
    [
        ("en-hi", "indictrans2-en-indic-1b", {}, ErrorKind.MISSING, "not in the model store"),
        ("hi-en", EN_INDIC, {}, ErrorKind.USAGE, "translates en-indic, not indic-en"),
        ("hi-gu", EN_INDIC, {}, ErrorKind.USAGE, "translates en-indic, not indic-indic"),
        ("en-de", EN_INDIC, {}, ErrorKind.INPUT, "does not have the language German"),
        ("en-si", EN_INDIC, {}, ErrorKind.INPUT, "does not have the language Sinhala"),
        ("en-hi", EN_INDIC, {"target_script": "Arab"}, ErrorKind.USAGE, "does not write Hindi"),
        ("en-hi", EN_INDIC, {"device": "cuda:7"}, ErrorKind.USAGE, "does not have the device cuda:7"),
        ("en-hi", EN_INDIC, {"compute_type": "int8"}, ErrorKind.USAGE, "is not possible with 'int8'"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    small: LoneTranslator, pair: str, model: str, options: dict[str, str], kind: ErrorKind, said: str
) -> None:
    error = small.refuse(["Good morning."], pair, model, **options)
    assert error.kind is kind
    assert said in error.message
    assert error.remedy


def test_a_model_whose_positions_are_not_the_formulas_is_refused(tmp_path: Path) -> None:
    model = make_indictrans2(tmp_path, "en-indic", raw_positions=True)
    with LoneTranslator("indictrans2", tmp_path) as translator:
        error = translator.refuse(["Good morning."], "en-hi", model)
        assert error.kind is ErrorKind.MISSING
        assert "wrong table of positions" in error.message
        assert "cpw envs build indictrans2" in error.remedy


def test_a_model_that_lacks_a_file_is_refused(small_store: Path, tmp_path: Path) -> None:
    for file in ("model.safetensors", "config.json"):
        store = tmp_path / file
        shutil.copytree(small_store / EN_INDIC, store / EN_INDIC)
        (store / EN_INDIC / file).unlink()
        with LoneTranslator("indictrans2", store) as translator:
            error = translator.refuse(["Good morning."], "en-hi", EN_INDIC)
            assert error.kind is ErrorKind.MISSING
            assert error.message == f"The file {store}/{EN_INDIC}/{file} is missing."
            assert error.remedy == f"cpw models fetch {EN_INDIC}"


@pytest.mark.env("nllb")
def test_another_version_of_transformers_leaves_the_positions_raw_and_the_check_sees_it(
    small_store: Path,
) -> None:
    look = (
        "import sys; from transformers import AutoModelForSeq2SeqLM as M, __version__;"
        "from workers.text.positions import wrong_positions;"
        "model = M.from_pretrained(sys.argv[1], trust_remote_code=True, local_files_only=True);"
        "print(__version__.split('.')[0], wrong_positions(model))"
    )
    said = {}
    for name in ("indictrans2", "nllb"):
        command = [envspecs.interpreter(name), "-c", look, str(small_store / EN_INDIC)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        said[name] = done.stdout.strip()
    assert said["indictrans2"] == "4"
    assert said["nllb"].startswith("5 row ")


def test_the_tokenizer_knows_every_tag_that_the_table_has(small_store: Path) -> None:
    data("indictrans2/en-indic/dict.SRC.json")
    words = json.loads((small_store / INDIC_EN / "dict.SRC.json").read_text(encoding="utf-8"))
    assert {tag for tags in INDICTRANS2.values() for tag in tags} <= set(words)


def test_small_files_made_here_do_where_the_real_ones_are_not(tmp_path: Path) -> None:
    model = make_indictrans2(tmp_path, "indic-en", real_files=False)
    with LoneTranslator("indictrans2", tmp_path) as translator:
        transcript, result = translator.translate(["नमस्ते दुनिया 12:30:45 ।"], "hi-en", model)
        assert texts_of(transcript)[0].split()[0] == tag_word(tmp_path, model, "hin_Deva")
        assert "12:30:45" in texts_of(transcript)[0]
        assert result.marks == {}
