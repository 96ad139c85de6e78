"""Who translates what, and what a person is told where nobody does."""

from __future__ import annotations

import pytest

from coordinator.planning.translators import Translator, find_route
from envspecs.models.registry import Model
from protocol.errors import MissingError

INDIC = ("hi", "gu", "ta")


def model(identity: str, sources: tuple[str, ...], targets: tuple[str, ...]) -> Model:
    return Model(
        id=identity,
        kind="k",
        licence="",
        description="",
        size_bytes=1,
        sources=(),
        needs=(),
        translates_from=sources,
        translates_to=targets,
    )


INTO = model("indic-en", INDIC, ("en",))
OUT_OF = model("en-indic", ("en",), INDIC)
AMONG = model("indic-indic", INDIC, INDIC)
MANY = model("nllb-600m", ("en", "de", *INDIC), ("en", "de", *INDIC))
WHISPER = model("whisper-base", (), ("en",))


def house(*, built: tuple[str, ...], stored: tuple[Model, ...]) -> list[Translator]:
    ids = frozenset(stored_model.id for stored_model in stored)
    table = {
        "whisperx": (90, (WHISPER,)),
        "nllb": (20, (MANY,)),
        "indictrans2": (10, (INTO, OUT_OF, AMONG)),
    }
    return [
        Translator(environment=name, rank=rank, built=name in built, models=models, stored=ids)
        for name, (rank, models) in table.items()
    ]


EVERYTHING = house(built=("indictrans2", "nllb", "whisperx"), stored=(INTO, OUT_OF, AMONG, MANY, WHISPER))


@pytest.mark.parametrize(
    ("source", "target", "environment", "chosen"),
    [
        ("hi", "en", "indictrans2", "indic-en"),
        ("en", "ta", "indictrans2", "en-indic"),
        ("hi", "gu", "indictrans2", "indic-indic"),
        ("en", "de", "nllb", "nllb-600m"),
        ("de", "hi", "nllb", "nllb-600m"),
        ("fr", "en", "whisperx", "whisper-base"),
    ],
)
def test_the_first_by_rank_that_has_the_pair_translates(
    source: str, target: str, environment: str, chosen: str
) -> None:
    route = find_route(source, target, EVERYTHING)
    assert (route.environment, route.model) == (environment, chosen)
    assert "the first that has the pair" in route.reason


def test_speech_is_translated_where_nothing_better_is_built_and_the_reason_says_what_would_be() -> None:
    route = find_route("hi", "en", house(built=("whisperx",), stored=(WHISPER,)))
    assert route.environment == "whisperx"
    assert (
        "indictrans2 would come first: cpw envs build indictrans2 && cpw models fetch indic-en"
        in route.reason
    )


def test_a_built_environment_without_the_pairs_model_is_passed_over() -> None:
    here = house(built=("indictrans2", "nllb", "whisperx"), stored=(INTO, MANY, WHISPER))
    assert find_route("hi", "gu", here).environment == "nllb"


def test_a_pair_that_nothing_here_has_is_answered_with_the_commands_that_make_it_possible() -> None:
    here = house(built=("whisperx", "nllb"), stored=(WHISPER,))
    with pytest.raises(MissingError, match="translates Hindi into Gujarati") as caught:
        find_route("hi", "gu", here)
    assert caught.value.remedy == (
        "cpw envs build indictrans2 && cpw models fetch indic-indic or: cpw models fetch nllb-600m"
    )


def test_a_pair_that_no_model_knows_is_answered_with_what_would_work() -> None:
    with pytest.raises(MissingError, match="French into zu") as caught:
        find_route("fr", "zu", EVERYTHING)
    assert caught.value.remedy == "Ask for English: -t en"


def test_without_a_known_source_whoever_makes_the_target_will_do_for_now() -> None:
    assert find_route(None, "gu", EVERYTHING).environment == "indictrans2"
    with pytest.raises(MissingError, match="the film into Gujarati"):
        find_route(None, "gu", house(built=("whisperx",), stored=(WHISPER,)))
