"""The memory and the cores that workers may take, as specs say and a person over them."""

from __future__ import annotations

import pytest

from envspecs.budgets import core_budget, memory_of, ram_budget_bytes, threads_of, variable_of
from envspecs.computing import Computing
from envspecs.spec import EnvSpec, Memory
from protocol.errors import UsageError

SPEC = EnvSpec(
    name="whisperx-new", purpose="", requirements=(), memory=Memory(load="first-use", ram_mb=2_000)
)
VARIABLE = "CPW_MEMORY_WHISPERX_NEW"


def test_the_spec_says_it_where_nobody_else_does() -> None:
    assert variable_of("whisperx-new") == VARIABLE
    assert memory_of(SPEC, {}) is not None
    assert memory_of(SPEC, {"CPW_MEMORY_WHISPERX": "ram_mb=1"}) == SPEC.memory


def test_a_person_overrides_word_by_word() -> None:
    found = memory_of(SPEC, {VARIABLE: " ram_mb=4000  idle_unload_s=1.5 "})
    assert found == Memory(load="first-use", ram_mb=4_000, idle_unload_s=1.5)
    assert memory_of(SPEC, {VARIABLE: "load=start vram_mb=8000 ram_mb=0"}) == Memory(vram_mb=8_000)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("ram=4000", "ram"),
        ("ram_mb=much", "ram_mb"),
        ("ram_mb", "ram_mb"),
        ("ram_mb=1.5", "ram_mb"),
        ("ram_mb=-1", "ram_mb"),
        ("idle_unload_s=nan", "idle_unload_s"),
        ("idle_unload_s=inf", "idle_unload_s"),
        ("load=never", "load"),
        ("4000", "4000"),
    ],
)
def test_a_wrong_word_is_refused_by_its_name(words: str, named: str) -> None:
    with pytest.raises(UsageError) as refusal:
        memory_of(SPEC, {VARIABLE: words})
    assert named in refusal.value.message
    assert VARIABLE in refusal.value.remedy


def test_the_house_may_take_four_fifths_of_the_ram_or_what_a_person_says() -> None:
    assert ram_budget_bytes(10_000_000_000, {}) == 8_000_000_000
    assert ram_budget_bytes(10_000_000_000, {"CPW_RAM_MB": "16000"}) == 16_000_000_000
    assert ram_budget_bytes(10_000_000_000, {"CPW_RAM_MB": "0"}) == 0
    for word in ("much", "-1", "1.5"):
        with pytest.raises(UsageError, match="CPW_RAM_MB"):
            ram_budget_bytes(1, {"CPW_RAM_MB": word})


def test_calls_may_keep_all_usable_cores_busy_or_as_many_as_a_person_says() -> None:
    assert core_budget(8, {}) == 8
    assert core_budget(8, {"CPW_CORES": "3"}) == 3
    assert core_budget(8, {"CPW_CORES": "12"}) == 12


@pytest.mark.parametrize("word", ["all", "0", "-1", "1.5", " 2"])
def test_a_wrong_number_of_cores_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="CPW_CORES") as refusal:
        core_budget(8, {"CPW_CORES": word})
    assert refusal.value.remedy == "Write for instance: CPW_CORES=4"


def test_a_worker_has_a_thread_a_core_and_at_most_what_its_engines_gain_from() -> None:
    gaining = EnvSpec(name="x", purpose="", requirements=(), computing=Computing(threads=4))
    assert [threads_of(SPEC, cores) for cores in (1, 8)] == [1, 8]
    assert [threads_of(gaining, cores) for cores in (1, 8)] == [1, 4]
