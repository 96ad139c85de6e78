"""A language with a script in what programs ask for."""

from __future__ import annotations

import pytest

from clients.api.answers import HttpProblem
from clients.api.speech.wanted import languages_of


def test_an_answer_in_another_script_is_refused_with_the_way_to_have_it() -> None:
    with pytest.raises(HttpProblem, match="Hindi in Latin letters") as caught:
        languages_of(("en,hi-Latn",), "target_language")
    assert "POST /jobs" in caught.value.info.remedy


def test_a_region_and_the_usual_script_are_no_hindrance() -> None:
    assert languages_of(("pt-BR", "hi-Deva"), "target_language") == ("pt", "hi")
