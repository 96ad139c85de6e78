"""Where a model computes, and which devices are refused."""

from __future__ import annotations

import pytest

from protocol.errors import UsageError
from workers.cores import usable_cores
from workers.placement import Placement, refuse_unknown_device


@pytest.mark.parametrize(
    ("device", "kind", "index"),
    [("cpu", "cpu", 0), ("mps", "mps", 0), ("cuda", "cuda", 0), ("cuda:1", "cuda", 1)],
)
def test_a_placement_knows_the_kind_and_the_number_of_its_device(device: str, kind: str, index: int) -> None:
    where = Placement(device=device, compute_type="float32")
    assert (where.kind, where.index) == (kind, index)


def test_a_model_is_kept_by_its_kind_its_name_and_its_placement() -> None:
    key = Placement(device="cuda:1", compute_type="int8").key("whisper", "whisper-base")
    assert str(key) == "whisper:whisper-base@cuda:1/int8"


@pytest.mark.parametrize("asked", ["cpu", "cuda", "cuda:1"])
def test_a_device_of_the_machine_is_let_through(asked: str) -> None:
    refuse_unknown_device(asked, ("cpu", "cuda"), 2)


@pytest.mark.parametrize("asked", ["gpu", "mps", "cpu:1", "cuda:x", "cuda:2", ""])
def test_another_device_is_refused_in_a_sentence(asked: str) -> None:
    with pytest.raises(UsageError, match=r"\.$") as refused:
        refuse_unknown_device(asked, ("cpu", "cuda"), 2)
    assert refused.value.remedy


def test_this_process_may_use_a_core() -> None:
    assert usable_cores() >= 1
