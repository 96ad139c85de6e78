"""Hot words in the room of a prompt."""

from __future__ import annotations

from workers.text.glossary.hot_words import fitting


def test_words_stay_in_their_order_as_long_as_there_is_room():
    assert fitting(("abc", "de", "f"), len, 10) == ("abc", "de", "f")
    assert fitting(("abc", "de", "f"), len, 8) == ("abc", "f")
    assert fitting(("abcdefghijk", "de"), len, 8) == ("de",)
    assert fitting((), len, 0) == ()
