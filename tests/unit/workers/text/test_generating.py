from __future__ import annotations

import pytest

from protocol.errors import CancelledError
from workers.text.generating import Place, in_batches, most_new_tokens


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


@pytest.mark.parametrize(("device", "kind"), [("cpu", "cpu"), ("cuda", "cuda"), ("cuda:1", "cuda")])
def test_a_place_knows_its_kind_and_its_batch(device, kind):
    place = Place(device=device, compute_type="float32")
    assert place.kind == kind
    assert place.batch_of(5) == 5
    assert place.batch_of(0) >= 16
