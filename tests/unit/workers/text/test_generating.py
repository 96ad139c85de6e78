from __future__ import annotations

import sys
import threading

import pytest

from protocol.artefacts import Artefact
from protocol.errors import CancelledError, ResourceError
from protocol.stages.translate import TranslateRequest
from workers.models import ModelShelf
from workers.placement import Placement
from workers.text.generating import (
    TextTranslation,
    batch_size_of,
    first_and_again,
    in_batches,
    lanes_of,
    most_new_tokens,
)
from workers.text.loading import TranslationModel


def shout(batches, tick):
    made = []
    for done, batch in enumerate(batches):
        tick(done)
        made.append([text.upper() for text in batch])
    return made


def test_texts_come_back_in_their_order_though_the_longest_go_first():
    seen = []

    def generate(batches, tick):
        seen.extend(batches)
        return shout(batches, tick)

    texts = ["aa", "aaaaaa", "a", "aaaa", "aaa"]
    assert in_batches(texts, 2, generate, lambda _share: None) == [text.upper() for text in texts]
    assert seen == [["aaaaaa", "aaaa"], ["aaa", "aa"], ["a"]]


def test_progress_is_the_part_of_the_batches_that_are_done():
    told = []
    in_batches(["a"] * 4, 2, shout, told.append)
    assert told == [0.0, 0.5]


def test_a_batch_of_long_texts_moves_the_bar_further_than_one_of_short_texts():
    told = []
    in_batches(["a", "aaaaaa", "aa", "aaa"], 2, shout, told.append)
    assert told == [0.0, 0.75]


def test_a_batch_that_lost_a_text_is_an_error():
    with pytest.raises(ValueError, match="shorter"):
        in_batches(["a", "b"], 2, lambda batches, _tick: [batches[0][:1]], lambda _share: None)


def test_nothing_makes_no_batch():
    assert in_batches([], 4, shout, lambda _share: None) == []


def test_a_short_sentence_may_grow_and_a_long_one_is_held_to_the_models_limit():
    assert most_new_tokens(3, 255) == 29
    assert most_new_tokens(200, 255) == 255


@pytest.mark.parametrize(("device", "usual"), [("cpu", 8), ("mps", 16), ("cuda", 32), ("cuda:1", 32)])
def test_a_device_has_a_usual_batch(device, usual):
    where = Placement(device=device, compute_type="float32")
    assert batch_size_of(5, where, 1_000) == 5
    assert batch_size_of(0, where, 1_000) == usual


@pytest.mark.parametrize(("texts", "size"), [(0, 1), (1, 1), (3, 2), (8, 4), (15, 8), (16, 8), (17, 8)])
def test_few_texts_make_two_batches_on_a_processor(texts, size):
    where = Placement(device="cpu", compute_type="float32")
    assert batch_size_of(0, where, texts) == size
    assert batch_size_of(16, where, texts) == 16


class Tensor:
    """What a tokenizer gives a model, as far as its shape is asked for."""

    def __init__(self, texts):
        self.shape = (len(texts), max(len(text.split()) for text in texts))


class Tokenizer:
    """Makes a token of each word."""

    def __call__(self, texts, **asked):
        if not asked:
            return {"input_ids": [text.split() for text in texts]}
        assert asked == {"padding": "longest", "return_tensors": "pt", "return_attention_mask": True}
        self.asked_by.add(threading.get_ident())
        return {"input_ids": Tensor(texts), "texts": texts}

    def batch_decode(self, made, **asked):
        self.decoded_with = asked
        self.asked_by.add(threading.get_ident())
        return made

    def __init__(self):
        self.asked_by = set()


class PlayedTorch:
    """Takes two threads by itself."""

    def __init__(self, lanes):
        self.lanes = lanes

    def get_num_threads(self):
        return self.lanes

    def set_num_threads(self, threads):
        assert threads in (1, 2)


@pytest.fixture(params=["cuda", 1, 2])
def lanes(request, monkeypatch, tmp_path):
    """Return the lanes of a call on a GPU, or with so many cores."""
    cores = 2 if request.param == "cuda" else request.param
    monkeypatch.setitem(sys.modules, "torch", PlayedTorch(cores))
    device = "cuda" if request.param == "cuda" else "cpu"
    where = Placement(device=device, compute_type="float32")
    return lanes_of(0, where, ModelShelf(tmp_path, threads=cores))


@pytest.fixture
def asked(monkeypatch):
    """Return the arguments of every call of `generate`, which shouts each text."""
    calls = []

    def generate(model, inputs, tick, **arguments):
        calls.append({"model": model, "tick": tick, **arguments})
        return [text.upper() for text in inputs["texts"]]

    monkeypatch.setattr("workers.text.generating.generate", generate)
    return calls


def translation(**fields):
    loaded = TranslationModel(
        model="model", tokenizer=Tokenizer(), most_source_tokens=3, most_target_tokens=50
    )
    return TextTranslation(**{"loaded": loaded, "beams": 0, "generating": {"use_cache": True}, **fields})


def test_a_text_that_is_too_long_goes_through_in_pieces_and_comes_back_whole(asked, lanes):
    made = translation(space="_").translate(["a b c d", "e"], 16, lanes, lambda _share: None)
    assert made == ["A B_C D", "E"]


def test_the_search_is_fairseqs_and_a_kind_of_model_may_add_to_it(asked, lanes):
    translation().translate(["a b"], 16, lanes, lambda _share: None)
    translation(beams=1).translate(["a b"], 16, lanes, lambda _share: None)
    usual, greedy = asked
    assert (usual["num_beams"], usual["early_stopping"], usual["use_cache"]) == (4, True, True)
    assert usual["max_new_tokens"] == most_new_tokens(2, 50)
    assert (greedy["num_beams"], greedy["early_stopping"]) == (1, False)


def test_texts_are_changed_before_and_after_the_model_in_one_call_each(asked, lanes):
    calls = []

    def change(name, add):
        def changed(texts):
            calls.append((name, list(texts)))
            return [text + add for text in texts]

        return changed

    made = translation(
        prepare=change("prepare", " p"),
        measure=change("measure", ""),
        finish=change("finish", "!"),
        decoding={"clean_up_tokenization_spaces": True},
    ).translate(["a", "b"], 1, lanes, lambda _share: None)
    assert made == ["A P!", "B P!"]
    assert calls == [("measure", ["a", "b"]), ("prepare", ["a", "b"]), ("finish", ["A P", "B P"])]


def test_the_tokenizer_is_asked_by_the_callers_thread_alone_before_the_first_batch_and_after_the_last(
    monkeypatch, lanes
):
    loaded, told, first = translation().loaded, [], threading.Event()
    asked_by = loaded.tokenizer.asked_by

    def generate(model, inputs, tick, **arguments):
        assert first.wait(20)
        assert not asked_by
        return [text.upper() for text in inputs["texts"]]

    def progress(share):
        told.append((share, threading.get_ident()))
        if not first.is_set():
            assert asked_by == {here}
            asked_by.clear()
            first.set()

    monkeypatch.setattr("workers.text.generating.generate", generate)
    here, texts = threading.get_ident(), ["a" * count for count in range(1, 9)]
    assert translation(loaded=loaded).translate(texts, 2, lanes, progress) == [text.upper() for text in texts]
    assert told == sorted(told)
    assert {thread for _, thread in told} == {here} == asked_by


@pytest.mark.parametrize("lanes", [1, 2], indirect=True)
def test_a_cancel_ends_a_call_whose_batches_run_and_they_learn_of_it(monkeypatch, lanes):
    running, ended, cancelled = threading.Semaphore(0), threading.Semaphore(0), threading.Event()

    def generate(model, inputs, tick, **arguments):
        running.release()
        assert cancelled.wait(20)
        try:
            tick()
        finally:
            ended.release()

    def progress(_share):
        assert running.acquire(timeout=20)
        message = "The job was cancelled."
        raise CancelledError(message)

    monkeypatch.setattr("workers.text.generating.generate", generate)
    with pytest.raises(CancelledError, match="job was cancelled"):
        translation().translate(["a", "b", "c"], 1, lanes, progress)
    cancelled.set()
    assert ended.acquire(timeout=20)


def test_the_first_batch_that_fails_ends_the_call(monkeypatch, lanes):
    begun = []

    def generate(model, inputs, tick, **arguments):
        begun.append(inputs)
        message = "The memory of cpu is too small."
        raise ResourceError(message)

    monkeypatch.setattr("workers.text.generating.generate", generate)
    with pytest.raises(ResourceError, match="too small"):
        translation().translate([str(number) for number in range(100)], 1, lanes, lambda _share: None)
    assert len(begun) < 100


def test_a_batch_of_one_has_one_lane_and_one_that_is_not_asked_for_as_many_as_there_are_cores(
    monkeypatch, tmp_path
):
    monkeypatch.setitem(sys.modules, "torch", PlayedTorch(2))
    where = Placement(device="cpu", compute_type="float32")
    shelf = ModelShelf(tmp_path, threads=2)
    assert lanes_of(1, where, shelf).shared_out(10) == (1, 2)
    assert lanes_of(0, where, shelf).shared_out(10) == (2, 1)
    assert lanes_of(8, where, shelf).shared_out(10) == (2, 1)


@pytest.mark.parametrize(("beams", "batch_size", "wider"), [(0, 0, (8, 4)), (2, 6, (4, 3)), (1, 1, (2, 1))])
def test_a_doubtful_text_is_searched_for_more_widely_without_loops_and_in_the_same_memory(
    beams, batch_size, wider
):
    asked = []
    nothing = Artefact(path="x", size=0, sha256="")

    def generate_texts(*question):
        asked.append(question[:4])
        return list(question[2])

    request = TranslateRequest(
        transcript=nothing,
        audio=nothing,
        source_language="en",
        target_language="de",
        beam_size=beams,
        batch_size=batch_size,
    )
    where = Placement(device="cpu", compute_type="int8")
    translate, again = first_and_again(request, where, generate_texts)
    texts = [str(number) for number in range(100)]
    for way in (translate, again):
        assert way(texts, lambda _share: None) == texts
    assert asked == [
        (beams, {}, texts, batch_size or 8),
        (wider[0], {"no_repeat_ngram_size": 3}, texts, wider[1]),
    ]
