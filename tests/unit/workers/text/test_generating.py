from __future__ import annotations

import pytest

from protocol.errors import CancelledError
from workers.placement import Placement
from workers.text.generating import TextTranslation, batch_size_of, in_batches, most_new_tokens
from workers.text.loading import TranslationModel


def shout(batch, tick):
    tick()
    return [text.upper() for text in batch]


def test_texts_come_back_in_their_order_though_the_longest_go_first():
    seen = []

    def generate(batch, tick):
        seen.append(list(batch))
        return shout(batch, tick)

    texts = ["aa", "aaaaaa", "a", "aaaa", "aaa"]
    assert in_batches(texts, 2, generate, lambda _share: None) == [text.upper() for text in texts]
    assert seen == [["aaaaaa", "aaaa"], ["aaa", "aa"], ["a"]]


def test_progress_is_told_before_and_inside_each_batch():
    told = []
    in_batches(["a"] * 4, 2, shout, told.append)
    assert told == [0.0, 0.0, 0.5, 0.5]


def test_a_batch_of_long_texts_moves_the_bar_further_than_one_of_short_texts():
    told = []
    in_batches(["a", "aaaaaa", "aa", "aaa"], 2, shout, told.append)
    assert told == [0.0, 0.0, 0.75, 0.75]


def test_no_batch_is_begun_after_a_cancel():
    seen = []

    def generate(batch, tick):
        seen.append(batch)
        return shout(batch, lambda: None)

    def progress(share):
        if share > 0:
            message = "The job was cancelled."
            raise CancelledError(message)

    with pytest.raises(CancelledError):
        in_batches(["a"] * 6, 2, generate, progress)
    assert len(seen) == 1


def test_a_batch_that_lost_a_text_is_an_error():
    with pytest.raises(ValueError, match="shorter"):
        in_batches(["a", "b"], 2, lambda batch, _tick: batch[:1], lambda _share: None)


def test_nothing_makes_no_batch():
    assert in_batches([], 4, shout, lambda _share: None) == []


def test_a_short_sentence_may_grow_and_a_long_one_is_held_to_the_models_limit():
    assert most_new_tokens(3, 255) == 29
    assert most_new_tokens(200, 255) == 255


@pytest.mark.parametrize("device", ["cpu", "mps", "cuda", "cuda:1"])
def test_a_device_has_a_usual_batch(device):
    where = Placement(device=device, compute_type="float32")
    assert batch_size_of(5, where) == 5
    assert batch_size_of(0, where) >= 16


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
        return {"input_ids": Tensor(texts), "texts": texts}

    def batch_decode(self, made, **asked):
        self.decoded_with = asked
        return made


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


def test_a_text_that_is_too_long_goes_through_in_pieces_and_comes_back_whole(asked):
    told = []
    made = translation(space="_").translate(["a b c d", "e"], 16, told.append)
    assert made == ["A B_C D", "E"]
    assert told[0] == 0.0


def test_the_search_is_fairseqs_and_a_kind_of_model_may_add_to_it(asked):
    translation().translate(["a b"], 16, lambda _share: None)
    translation(beams=1).translate(["a b"], 16, lambda _share: None)
    usual, greedy = asked
    assert (usual["num_beams"], usual["early_stopping"], usual["use_cache"]) == (4, True, True)
    assert usual["max_new_tokens"] == most_new_tokens(2, 50)
    assert (greedy["num_beams"], greedy["early_stopping"]) == (1, False)


def test_texts_are_changed_before_and_after_the_model_in_one_call_each(asked):
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
    ).translate(["a", "b"], 1, lambda _share: None)
    assert made == ["A P!", "B P!"]
    assert calls == [("measure", ["a", "b"]), ("prepare", ["a", "b"]), ("finish", ["A P", "B P"])]
