"""The environments of the project are told, on each kind of machine, what the keys of finished steps have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import envspecs
from coordinator.planning.hardware_choices import choose
from protocol.hardware import CudaDevice, Hardware

GIBIBYTE = 1 << 30
GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "choices.json"
WITHOUT = ", torch without CUDA"


def box(ram_gib: int) -> Hardware:
    return Hardware(platform="Linux", machine="x86_64", ram_bytes=ram_gib * GIBIBYTE)


def mac(ram_gib: int) -> Hardware:
    ram_bytes = ram_gib * GIBIBYTE
    return Hardware(platform="Darwin", machine="arm64", ram_bytes=ram_bytes, mps=True, mlx="metal")


def gpu(gib: int) -> Hardware:
    card = CudaDevice(index=0, name="NVIDIA X", memory_bytes=gib * GIBIBYTE)
    return Hardware(platform="Linux", machine="x86_64", ram_bytes=128 * GIBIBYTE, cuda=(card,))


MACHINES = {
    "no GPU": box(25),
    "no GPU, 2 GiB of RAM": box(2),
    "Mac": mac(16),
    "Mac, 2 GiB of RAM": mac(2),
    "GPU that does not say its memory": gpu(0),
    **{f"GPU of {gib} GiB": gpu(gib) for gib in (4, 8, 24, 80)},
}
"""With `choices.json`, a record of what was chosen when this was still a table in the code."""
CHOICES = json.loads(GOLDEN.read_text())


@pytest.mark.parametrize("place", CHOICES)
def test_choices_and_their_reasons_are_as_they_were(place: str) -> None:
    step, _, machine = place.partition(": ")
    name, _, stage = step.partition("/")
    versions = {"torch": "2.8.0+cpu"} if machine.endswith(WITHOUT) else {}
    found = choose(stage, envspecs.read(name), MACHINES[machine.removesuffix(WITHOUT)], {}, versions)
    assert [found.values, list(found.reasons)] == CHOICES[place]


def test_every_stage_of_the_project_that_is_told_something_is_in_the_record() -> None:
    for spec in envspecs.read_all():
        if spec.copied_from:
            continue
        for stage in spec.stages:
            if choose(stage, spec, gpu(4), {}).reasons:
                assert {f"{spec.name}/{stage}: {machine}" for machine in MACHINES} <= CHOICES.keys()
