"""Which models are chosen: machines that are played, what a person has pinned, what languages need."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from envspecs.models.registry import read_registry
from envspecs.setup.choice import GIBIBYTE, choose, read_sets
from envspecs.setup.defaults import default_model
from envspecs.setup.needs import find_needs
from envspecs.setup.pins import Pins, pins_file, read_pins, write_pins
from envspecs.spec import read, read_all
from protocol.errors import UsageError
from protocol.hardware import CudaDevice, Hardware

REGISTRY = read_registry()


def machine(cores: int, ram: float, gpu: float | None = None, *, apple: bool = False) -> Hardware:
    """Return a machine with so many GiB of memory, as systems count it: a little is taken before."""
    cuda = (CudaDevice(index=0, name="GPU", memory_bytes=round(gpu * 0.98 * GIBIBYTE)),) if gpu else ()
    return Hardware(
        platform="Darwin" if apple else "Linux",
        machine="arm64" if apple else "x86_64",
        cores=cores,
        ram_bytes=round(ram * (1.0 if apple else 0.96) * GIBIBYTE),
        cuda=cuda,
        mps=apple,
    )


MACHINES = {
    "2 cores, 4 GB": (machine(2, 4), ("draft", "whisper-base", "whisper-base", "whisper-base")),
    "2 cores, 8 GB": (
        machine(2, 8),
        ("good", "whisper-small", "whisper-large-v3-turbo", "whisper-small"),
    ),
    "2 cores, 64 GB": (
        machine(2, 64),
        ("good", "whisper-small", "whisper-large-v3-turbo", "whisper-small"),
    ),
    "16 cores, 8 GB": (
        machine(16, 8),
        ("good", "whisper-small", "whisper-large-v3-turbo", "whisper-small"),
    ),
    "16 cores, 16 GB": (
        machine(16, 16),
        ("good", "whisper-medium", "whisper-large-v3-turbo", "whisper-medium"),
    ),
    "16 cores, 64 GB": (
        machine(16, 64),
        ("good", "whisper-medium", "whisper-large-v3-turbo", "whisper-medium"),
    ),
    "GPU of 2 GB": (machine(8, 32, 2), ("good", "whisper-small", "whisper-small", "whisper-small")),
    "GPU of 4 GB": (
        machine(8, 32, 4),
        ("good", "whisper-large-v3-turbo", "whisper-large-v3-turbo", "whisper-medium"),
    ),
    "GPU of 8 GB": (machine(8, 32, 8), ("best", *["whisper-large-v3"] * 3)),
    "GPU of 12 GB": (machine(8, 32, 12), ("best", *["whisper-large-v3"] * 3)),
    "GPU of 24 GB": (machine(16, 64, 24), ("best", *["whisper-large-v3"] * 3)),
    "GPU of 80 GB": (machine(32, 256, 80), ("best", *["whisper-large-v3"] * 3)),
    "M1, 8 GB": (
        machine(8, 8, apple=True),
        ("good", "whisper-large-v3-turbo", "whisper-large-v3-turbo", "whisper-small"),
    ),
    "M3 Max, 64 GB": (
        machine(16, 64, apple=True),
        ("best", "whisper-large-v3-turbo", "whisper-large-v3", "whisper-medium"),
    ),
}
"""Machine -> the set, and what recognises English, recognises Hindi, and translates speech into English."""


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_is_given_what_an_expert_would_take(name: str) -> None:
    here, expected = MACHINES[name]
    plain = choose(here, Pins(), REGISTRY)
    hindi = choose(here, Pins(languages=("hi",)), REGISTRY)
    assert (plain.name, plain.recogniser, hindi.recogniser, plain.into_english) == expected
    assert plain.fits
    assert not plain.pinned


def test_a_gpu_that_does_not_say_its_memory_is_taken_for_a_small_one() -> None:
    here = replace(machine(8, 32), cuda=(CudaDevice(index=0, name="GPU", memory_bytes=0),))
    assert choose(here, Pins(), REGISTRY).recogniser == "whisper-base"


@pytest.mark.parametrize(
    ("asked", "recogniser", "fits"),
    [("draft", "whisper-base", True), ("good", "whisper-small", True), ("best", "whisper-large-v3", False)],
)
def test_a_pinned_set_is_taken_and_it_is_said_where_the_machine_is_too_small(
    asked: str, recogniser: str, fits: bool
) -> None:
    chosen = choose(machine(2, 8), Pins(set=asked), REGISTRY)  # type: ignore[arg-type]  # (one of the names)
    assert (chosen.recogniser, chosen.fits, chosen.pinned) == (recogniser, fits, True)


def test_a_pinned_model_goes_before_the_set() -> None:
    pins = Pins(models={"asr": "whisper-large-v2", "translate": "whisper-small"})
    chosen = choose(machine(16, 64, 24), pins, REGISTRY)
    assert (chosen.recogniser, chosen.into_english) == ("whisper-large-v2", "whisper-small")


def test_a_pinned_model_that_there_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match="none of that name"):
        choose(machine(2, 8), Pins(models={"asr": "whisper-huge"}), REGISTRY)


@pytest.mark.parametrize(
    "models", [{"asr": "wav2vec2-hi"}, {"asr": "lid-176"}, {"translate": "whisper-large-v3-turbo"}]
)
def test_a_pinned_model_that_cannot_do_the_stage_is_refused(models: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="which it cannot do"):
        choose(machine(2, 8), Pins(models=models), REGISTRY)


def test_every_model_of_the_table_is_in_the_registry_and_translates_where_it_should() -> None:
    for row in read_sets():
        for model in (row.recogniser, row.hard or row.recogniser, row.into_english or row.recogniser):
            assert model in REGISTRY
        assert REGISTRY[row.into_english or row.recogniser].translates_to == ("en",)


def test_pins_are_read_as_they_were_written(tmp_path: Path) -> None:
    pins = Pins(set="good", languages=("hi", "ta"), commercial=True, models={"asr": "whisper-medium"})
    write_pins(pins, tmp_path)
    assert read_pins(tmp_path) == pins
    assert read_pins(tmp_path / "elsewhere") == Pins()


@pytest.mark.parametrize(
    "text",
    [
        'set = "better"',
        "language = ['hi']",
        'languages = ["klingon"]',
        '[models]\nvad = "x"',
        "set = ",
        "\xff",
    ],
)
def test_a_wrong_file_is_refused_by_its_path(tmp_path: Path, text: str) -> None:
    pins_file(tmp_path).write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match=r"The file .*setup\.toml"):
        read_pins(tmp_path)


def test_languages_are_read_as_a_person_writes_them_a_script_is_left_out(tmp_path: Path) -> None:
    pins_file(tmp_path).write_text('languages = ["hi-Latn", "Tamil", "hi"]')
    assert read_pins(tmp_path).languages == ("hi", "ta")


def test_pins_that_cannot_be_written_say_where(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"file/store/setup\.toml cannot be written"):
        write_pins(Pins(), tmp_path / "file" / "store")


def needs_of(here: Hardware, **pins: object) -> list[tuple[str, str]]:
    """Return model and environment of everything that is chosen for the machine."""
    wanted = Pins(**pins)  # type: ignore[arg-type]  # (a test's own words)
    chosen = choose(here, wanted, REGISTRY)
    found = find_needs(chosen, wanted, here, read_all(), REGISTRY)
    return [(need.model.id, need.environment) for need in found]


def test_without_a_language_one_model_is_enough() -> None:
    assert needs_of(machine(2, 8)) == [("whisper-small", "whisperx")]


def test_hindi_needs_its_own_translators_and_what_times_its_words() -> None:
    assert needs_of(machine(2, 8), languages=("hi",)) == [
        ("whisper-large-v3-turbo", "whisperx"),
        ("whisper-small", "whisperx"),
        ("indictrans2-indic-en-dist-200m", "indictrans2"),
        ("indictrans2-en-indic-dist-200m", "indictrans2"),
        ("wav2vec2-hi", "whisperx"),
    ]


def test_a_large_gpu_gets_the_large_translators() -> None:
    found = [model for model, _ in needs_of(machine(16, 64, 24), languages=("hi", "ta"))]
    assert found[1:4] == [
        "indictrans2-indic-indic-1b",
        "indictrans2-indic-en-1b",
        "indictrans2-en-indic-1b",
    ]


def test_what_whisper_translates_well_needs_no_other_translator_into_english() -> None:
    found = dict(needs_of(machine(16, 64), languages=("de",)))
    assert [model for model in found if "nllb" in model or "madlad" in model] == ["madlad400-3b-mt"]
    assert "wav2vec2-de" in found


TRANSLATORS = {
    "2 cores, 8 GB": (machine(2, 8), "nllb-200-distilled-600m", "madlad400-3b-mt"),
    "2 cores, 16 GB": (machine(2, 16), "madlad400-3b-mt", "madlad400-3b-mt"),
    "16 cores, 64 GB": (machine(16, 64), "madlad400-3b-mt", "madlad400-3b-mt"),
    "GPU of 4 GB, machine of 8 GB": (machine(8, 8, 4), "nllb-200-distilled-600m", "madlad400-3b-mt"),
    "GPU of 8 GB": (machine(8, 32, 8), "nllb-200-distilled-600m", "madlad400-3b-mt"),
    "GPU of 12 GB": (machine(8, 32, 12), "madlad400-3b-mt", "madlad400-3b-mt"),
    "GPU of 80 GB": (machine(32, 256, 80), "madlad400-7b-mt-bt", "madlad400-7b-mt-bt"),
    "M1, 8 GB": (machine(8, 8, apple=True), "nllb-200-distilled-600m", "madlad400-3b-mt"),
}
"""Machine -> what translates English into German: for everybody, and for who earns money with it."""


@pytest.mark.parametrize("name", TRANSLATORS)
def test_an_open_translator_goes_before_one_that_forbids_commerce_where_there_is_room(name: str) -> None:
    here, *expected = TRANSLATORS[name]
    for commercial, translator in zip((False, True), expected, strict=True):
        found = dict(needs_of(here, languages=("de",), commercial=commercial))
        assert found.get(translator) == ("nllb" if "nllb" in translator else "madlad")
        assert len([model for model in found if "nllb" in model or "madlad" in model]) == 1


def test_an_open_translator_that_is_worse_does_not_go_before() -> None:
    here = machine(32, 256, 80)
    chosen = choose(here, Pins(), REGISTRY)
    worse = {name: model for name, model in REGISTRY.items() if name != "madlad400-7b-mt-bt"}
    found = find_needs(chosen, Pins(languages=("de",)), here, read_all(), worse)
    assert "nllb-200-3.3b" in [need.model.id for need in found]


def test_who_earns_money_gets_no_model_that_forbids_it() -> None:
    found = needs_of(machine(16, 64), languages=("de", "fr"), commercial=True)
    assert not [model for model, _ in found if REGISTRY[model].forbids_commerce]
    assert ("madlad400-3b-mt", "madlad") in found


def test_the_chosen_model_is_the_default_once_it_is_in_the_store() -> None:
    spec = read("whisperx")
    chosen = choose(machine(2, 8), Pins(), REGISTRY)
    assert default_model(spec, chosen, REGISTRY, lambda _: False) == "whisper-base"
    assert default_model(spec, chosen, REGISTRY, lambda _: True) == "whisper-small"
    assert default_model(spec, None, REGISTRY, lambda _: True) == "whisper-base"
    assert default_model(read("mlx"), chosen, REGISTRY, lambda _: True) == "whisper-small-mlx"
    assert default_model(read("bergamot"), chosen, REGISTRY, lambda _: True) == "bergamot-en-pt"


def test_models_of_a_family_have_the_same_grades() -> None:
    assert REGISTRY["whisper-small"].grade("en") == "good"
    assert REGISTRY["whisper-small"].grade("hi") == "draft"
    assert REGISTRY["whisper-small-mlx"].grades == REGISTRY["whisper-small"].grades
    assert REGISTRY["htdemucs"].grade("en") is None
