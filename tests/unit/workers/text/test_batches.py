"""Texts in batches of one length."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from workers.text.batches import by_length


def test_the_longest_come_first_and_equals_keep_their_order() -> None:
    assert by_length(["a", "ccc", "bb", "b", "dd"], 2) == [[1, 2], [4, 0], [3]]


def test_nothing_is_no_batch() -> None:
    assert by_length([], 4) == []


@settings(deadline=None)
@given(st.lists(st.text()), st.integers(-1, 9))
def test_every_text_is_in_one_batch_of_at_most_its_size(texts: list[str], size: int) -> None:
    found = by_length(texts, size)
    order = [index for batch in found for index in batch]
    assert sorted(order) == list(range(len(texts)))
    assert all(len(batch) <= max(1, size) for batch in found)
    lengths = [len(texts[index]) for index in order]
    assert lengths == sorted(lengths, reverse=True)
