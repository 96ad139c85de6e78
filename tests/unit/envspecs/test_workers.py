"""How many workers an environment has, which GPU each of them sees, and its part of the budgets."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

import pytest

from envspecs.spec import EnvSpec, Memory
from envspecs.workers import Place, part_of, places_of, variable_of, visible_to
from protocol.errors import UsageError

SPEC = EnvSpec(name="whisperx-new", purpose="", requirements=())
PER_GPU = replace(SPEC, workers="per-gpu")
VARIABLE = "CPW_WORKERS_WHISPERX_NEW"


def no_gpu_is_counted() -> NoReturn:
    raise AssertionError("nvidia-smi can take seconds: it is asked where the answer depends on it")


def names(spec: EnvSpec, gpus: int, word: str = "") -> list[str]:
    return [place.name for place in places_of(spec, lambda: gpus, {VARIABLE: word})]


def test_an_environment_has_one_worker_that_sees_every_gpu() -> None:
    (place,) = places_of(SPEC, no_gpu_is_counted, {})
    assert place == Place(name="whisperx-new")
    assert visible_to(place, {"CUDA_VISIBLE_DEVICES": "1,0"}) == {}


def test_the_variable_goes_before_the_spec() -> None:
    assert variable_of("whisperx-new") == VARIABLE
    assert names(SPEC, 0, "3") == ["whisperx-new", "whisperx-new.2", "whisperx-new.3"]
    assert names(replace(SPEC, workers=3), 0, "1") == ["whisperx-new"]
    assert len(names(PER_GPU, 4, "2")) == 2
    assert len(names(replace(SPEC, workers=2), 4, "per-gpu")) == 4
    assert len(places_of(SPEC, lambda: 0, {"CPW_WORKERS_WHISPERX": "2"})) == 1


@pytest.mark.parametrize(("gpus", "count"), [(0, 1), (1, 1), (2, 2), (4, 4)])
def test_per_gpu_is_one_for_each_gpu_and_at_least_one(gpus: int, count: int) -> None:
    assert len(names(PER_GPU, gpus)) == count


@pytest.mark.parametrize(
    "word", ["0", "-1", "65", "1.5", "two", "per gpu", "PER-GPU", " 2", "+2", "٢", "9" * 5000]
)
def test_a_wrong_number_is_refused_with_the_variable(word: str) -> None:
    with pytest.raises(UsageError) as refused:
        names(SPEC, 4, word)
    assert VARIABLE in refused.value.message
    assert refused.value.remedy == f"Write for instance: {VARIABLE}=per-gpu"


def seen(spec: EnvSpec, gpus: int, environ: dict[str, str]) -> list[str | None]:
    places = places_of(spec, lambda: gpus, environ)
    return [visible_to(place, environ).get("CUDA_VISIBLE_DEVICES") for place in places]


def test_each_worker_sees_one_gpu() -> None:
    assert seen(PER_GPU, 4, {}) == ["0", "1", "2", "3"]
    assert seen(PER_GPU, 1, {}) == [None]
    assert seen(PER_GPU, 0, {}) == [None]


def test_of_a_list_that_a_person_has_set_each_has_its_entry() -> None:
    assert seen(PER_GPU, 2, {"CUDA_VISIBLE_DEVICES": "3, GPU-aaaa"}) == ["3", "GPU-aaaa"]
    assert seen(PER_GPU, 0, {"CUDA_VISIBLE_DEVICES": ""}) == [None]


def test_a_number_of_workers_takes_turns_with_the_gpus() -> None:
    assert seen(replace(SPEC, workers=3), 2, {}) == ["0", "1", "0"]
    assert seen(replace(SPEC, workers=2), 4, {}) == ["0", "1"]
    assert seen(replace(SPEC, workers=2), 0, {}) == [None, None]


def test_gpus_are_counted_as_they_are_shown_unless_a_person_has_said_how() -> None:
    place = places_of(PER_GPU, lambda: 2, {})[1]
    assert visible_to(place, {})["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    assert visible_to(place, {"CUDA_DEVICE_ORDER": "FASTEST_FIRST"})["CUDA_DEVICE_ORDER"] == "FASTEST_FIRST"
    assert "CUDA_DEVICE_ORDER" not in visible_to(place, {"CUDA_VISIBLE_DEVICES": "0,1"})


def test_ram_is_shared_by_all_workers_and_a_gpus_memory_by_those_on_it() -> None:
    memory = Memory(load="first-use", idle_unload_s=5.0, ram_mb=9_000, vram_mb=8_000)

    def parts(spec: EnvSpec, gpus: int) -> list[tuple[int, int]]:
        found = [part_of(memory, place) for place in places_of(spec, lambda: gpus, {})]
        assert all((part.load, part.idle_unload_s) == ("first-use", 5.0) for part in found)
        return [(part.ram_mb, part.vram_mb) for part in found]

    assert parts(SPEC, 2) == [(9_000, 8_000)]
    assert parts(PER_GPU, 2) == [(4_500, 8_000)] * 2
    assert parts(replace(SPEC, workers=3), 2) == [(3_000, 4_000), (3_000, 8_000), (3_000, 4_000)]


def test_no_limit_stays_none_and_a_small_one_does_not_become_none() -> None:
    place = Place(name="x", workers=4, gpu=0, gpu_workers=4)
    assert part_of(Memory(), place) == Memory()
    assert part_of(Memory(ram_mb=3, vram_mb=3), place) == Memory(ram_mb=1, vram_mb=1)
