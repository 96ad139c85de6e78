from __future__ import annotations

import pytest

from envspecs.models.registry import read_registry
from protocol.errors import InputError, UsageError
from protocol.stages.translate import TranslateRequest
from tests.lone_worker import NOTHING
from workers.engines.indictrans2.choices import (
    DIRECTIONS,
    Pair,
    model_direction,
    pair_of,
    refuse_other_direction,
)


def request(source, target, **scripts):
    return TranslateRequest(
        transcript=NOTHING, audio=NOTHING, source_language=source, target_language=target, **scripts
    )


@pytest.mark.parametrize(
    ("source", "target", "direction"),
    [("hi", "en", "indic-en"), ("en", "gu", "en-indic"), ("hi", "gu", "indic-indic")],
)
def test_a_pair_goes_one_of_three_ways(source, target, direction):
    assert pair_of(request(source, target)).direction == direction


def test_a_pair_has_the_tags_of_its_languages_and_scripts():
    pair = pair_of(request("ks", "sd", source_script="Deva", target_script="Deva"))
    assert (pair.source, pair.target) == ("kas_Deva", "snd_Deva")


def test_a_language_into_itself_is_nothing_to_translate_but_for_another_script():
    with pytest.raises(InputError, match="nothing to translate"):
        pair_of(request("ks", "ks"))
    assert pair_of(request("ks", "ks", target_script="Deva")).direction == "indic-indic"


def test_every_model_of_the_registry_says_its_way_by_its_id():
    models = [entry for entry in read_registry().values() if entry.kind == "indictrans2"]
    assert {model_direction(model.id, {}) for model in models} == set(DIRECTIONS)
    for model in models:
        assert model.id.startswith(f"indictrans2-{model_direction(model.id, {})}-")


@pytest.mark.parametrize(
    ("sizes", "direction"),
    [((32_322, 122_672), "en-indic"), ((122_706, 32_296), "indic-en"), ((122_706, 122_672), "indic-indic")],
)
def test_a_model_of_a_persons_own_says_its_way_by_its_vocabularies(sizes, direction):
    config = {"encoder_vocab_size": sizes[0], "decoder_vocab_size": sizes[1]}
    assert model_direction("my-own-model", config) == direction


@pytest.mark.parametrize("config", [{}, {"encoder_vocab_size": 5}, {"encoder_vocab_size": "x"}])
def test_a_model_that_does_not_say_its_way_is_believed(config):
    assert model_direction("my-own-model", config) is None
    refuse_other_direction("my-own-model", None, Pair(source="", target="", direction="en-indic"))


def test_a_model_that_goes_another_way_is_refused_with_one_that_goes_this():
    pair = Pair(source="hin_Deva", target="eng_Latn", direction="indic-en")
    with pytest.raises(UsageError, match="translates en-indic, not indic-en") as caught:
        refuse_other_direction("indictrans2-en-indic-1b", "en-indic", pair)
    assert "indictrans2-indic-en-1b" in caught.value.remedy
