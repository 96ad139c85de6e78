"""Hot words in the room of a prompt."""

from __future__ import annotations

import pytest

from workers.text.glossary.hot_words import fitting, is_echo


def test_words_stay_in_their_order_as_long_as_there_is_room():
    assert fitting(("abc", "de", "f"), len, 10) == ("abc", "de", "f")
    assert fitting(("abc", "de", "f"), len, 8) == ("abc", "f")
    assert fitting(("abcdefghijk", "de"), len, 8) == ("de",)
    assert fitting((), len, 0) == ()


@pytest.mark.parametrize(
    ("text", "echo"),
    [
        ("Jai, Veeru", True),
        ("and so, old Jai, Veeru ran", True),
        ("Jai and Veeru ran, Jai.", False),
        ("Jai, my friend, Veeru", False),
        ("", False),
    ],
)
def test_two_hot_words_with_a_comma_between_are_the_prompt(text: str, echo: bool) -> None:
    assert is_echo(text, ("Jai", "Veeru")) is echo
    assert not is_echo(text, ())
