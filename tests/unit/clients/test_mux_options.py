from __future__ import annotations

import pytest

from clients.mux_options import mux_parameters
from protocol.errors import UsageError


def test_languages_are_written_as_codes_or_names_and_become_codes():
    settings = {"default": "Hindi", "forced": ("eng", "hi")}
    found = mux_parameters("subtitle", "English", settings, "hi", ("en",))
    assert found == {"default": "hi", "forced": ("en", "hi"), "burn": "en"}


@pytest.mark.parametrize("word", ["first", "none"])
def test_the_words_that_are_no_language_stay(word):
    assert mux_parameters("subtitle", None, {"default": word}, "hi", ()) == {"default": word}


def test_nothing_asked_for_is_nothing_set():
    assert mux_parameters("transcribe", None, {}, None, ()) == {}


@pytest.mark.parametrize(
    ("burn", "settings"), [("en", {}), (None, {"forced": ("en",)}), (None, {"default": "en"})]
)
def test_a_language_without_a_track_is_refused_before_anything_runs(burn, settings):
    with pytest.raises(UsageError, match="the film gets no subtitles in English") as refused:
        mux_parameters("subtitle", burn, settings, "hi", ("gu",))
    assert refused.value.remedy == "Add -t en."


def test_where_the_spoken_language_is_not_known_it_may_be_that():
    assert mux_parameters("subtitle", "hi", {}, None, ("en",)) == {"burn": "hi"}


def test_a_workflow_without_a_film_has_nothing_to_burn_into():
    with pytest.raises(UsageError, match="makes no film"):
        mux_parameters("translate", "en", {}, None, ("en",))


def test_a_language_that_there_is_not_is_refused():
    with pytest.raises(UsageError):
        mux_parameters("subtitle", "klingon2", {}, None, ())
