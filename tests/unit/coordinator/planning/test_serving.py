"""Which environment does a stage that several do: first those that are built and have their model."""

from __future__ import annotations

import pytest

import envspecs
from coordinator.plan import PlannedStep
from coordinator.planning.assignments import passed_over
from coordinator.planning.inventory import Inventory
from envspecs.models.registry import read_registry
from protocol.errors import UsageError
from protocol.hardware import Hardware
from protocol.messages import Submit

HTDEMUCS, STEMS = "htdemucs", "spleeter-2stems"
BOTH = ("demucs", "spleeter")
COMMUNITY, CAMPPLUS = "speakers-community-1", "speakers-campplus"
VAD = "pyannote-segmentation"


def inventory(built: tuple[str, ...], stored: tuple[str, ...]) -> Inventory:
    specs = {spec.name: spec for spec in envspecs.read_all() if not spec.copied_from}
    registry = read_registry()
    return Inventory(
        specs=specs,
        registry=registry,
        hardware=Hardware(platform="Linux", machine="x86_64", ram_bytes=1 << 33),
        _built={name: name in built for name in specs},
        _stored={model: model in stored for model in registry},
    )


@pytest.mark.parametrize(
    ("built", "stored", "chosen"),
    [
        (BOTH, (HTDEMUCS, STEMS), "demucs"),
        (BOTH, (STEMS,), "spleeter"),
        (BOTH, (), "demucs"),
        (("demucs",), (STEMS,), "demucs"),
        (("spleeter",), (HTDEMUCS, STEMS), "spleeter"),
        ((), (), "demucs"),
    ],
)
def test_the_first_that_is_built_and_whole_does_the_stage(built, stored, chosen) -> None:
    assert inventory(built, stored).serving("separate", {}).name == chosen


def test_the_model_that_a_person_chose_names_those_that_can_load_it() -> None:
    here = inventory(BOTH, (HTDEMUCS, STEMS))
    assert here.serving("separate", {}, STEMS).name == "spleeter"
    assert inventory(BOTH, (STEMS,)).serving("separate", {}, HTDEMUCS).name == "demucs"
    assert here.serving("separate", {"separate": "demucs"}, STEMS).name == "demucs"


def test_a_stage_that_falls_to_the_next_environment_is_told() -> None:
    submit = Submit(media="/film.mkv", workflow="transcribe", user="u", out="/out")
    step = PlannedStep(
        name="separate", stage="separate", environment="spleeter", target=None, needs=("demux",), after=()
    )
    (said,) = passed_over([step], submit, inventory(BOTH, (STEMS,)))
    assert said.startswith("separate by spleeter: demucs would come first, but its model htdemucs is not")
    assert "cpw models fetch htdemucs" in said
    assert passed_over([step], submit, inventory(("spleeter",), (STEMS,))) == ()


def test_an_environment_that_is_not_there_is_still_refused() -> None:
    with pytest.raises(UsageError, match="There is no environment"):
        inventory(BOTH, ()).serving("separate", {"separate": "nowhere"})


@pytest.mark.parametrize(
    ("stored", "chosen"),
    [
        ((COMMUNITY, CAMPPLUS, VAD), COMMUNITY),
        ((COMMUNITY,), COMMUNITY),
        ((CAMPPLUS, VAD), CAMPPLUS),
        # Whoever asks for it is told to fetch the one that needs no token.
        ((VAD,), CAMPPLUS),
    ],
)
def test_a_stage_with_models_of_its_own_takes_the_first_that_is_here(
    stored: tuple[str, ...], chosen: str
) -> None:
    here = inventory(("pyannote",), stored)
    spec = here.serving("diarize", {})
    assert here.default_model("diarize", spec) == chosen
    assert here.default_model("vad", spec) == VAD
    assert ("diarize" in here.at_hand({})) == (chosen in stored)
