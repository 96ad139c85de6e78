"""Where a stage computes, on machines that are not this one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import envspecs
from coordinator.planning.hardware_choices import choose
from envspecs.spec import EnvSpec, parse
from protocol.hardware import CudaDevice, Hardware
from protocol.schema import check_field
from protocol.stages import STAGES
from tests.walkthrough import blocks_of

ADDING = Path(__file__).resolve().parents[4] / "docs" / "adding.md"
GIBIBYTE = 1 << 30
BOX = Hardware(platform="Linux", machine="x86_64", cpu="AMD EPYC", cores=2, ram_bytes=25 * GIBIBYTE)
MAC = Hardware(platform="Darwin", machine="arm64", cores=8, ram_bytes=16 * GIBIBYTE, mps=True, mlx="metal")


def gpus(*gibibytes: float, name: str = "NVIDIA H100") -> Hardware:
    cards = tuple(
        CudaDevice(index=index, name=name, memory_bytes=round(gibibyte * GIBIBYTE))
        for index, gibibyte in enumerate(gibibytes)
    )
    return Hardware(platform="Linux", machine="x86_64", cores=16, ram_bytes=128 * GIBIBYTE, cuda=cards)


WHISPERX = envspecs.read("whisperx")


def reasons(stage: str, environment: EnvSpec, hardware: Hardware, **asked: Any) -> dict[str, str]:
    found = choose(stage, environment, hardware, asked)
    return {reason.partition(" ")[0]: reason.partition(" ")[2] for reason in found.reasons}


@pytest.mark.parametrize("name", envspecs.spec.spec_names())
def test_on_a_machine_without_a_gpu_every_engine_is_left_to_itself(name: str) -> None:
    environment = envspecs.read(name)
    for stage in environment.stages:
        assert choose(stage, environment, BOX, {}).values == {}


def test_without_a_gpu_the_reasons_are_said_all_the_same() -> None:
    assert choose("asr", WHISPERX, BOX, {}).reasons == (
        "device cpu: no GPU was found",
        "compute_type int8: the quickest on a processor",
        "batch_size 0: the engine's own for its device",
    )


def test_a_gpu_is_used_and_named() -> None:
    found = choose("asr", WHISPERX, gpus(80), {})
    assert found.values == {"device": "cuda", "compute_type": "float16", "batch_size": 32}
    assert found.reasons[0] == "device cuda: NVIDIA H100, 85.9 GB"


@pytest.mark.parametrize(
    ("gibibytes", "compute_type", "batch"),
    [
        (4, "int8_float16", 4),
        (6, "float16", 8),
        (8, "float16", 8),
        (12, "float16", None),
        (40, "float16", 32),
    ],
)
def test_the_gpus_memory_decides_numbers_and_batch(gibibytes: int, compute_type: str, batch: int) -> None:
    values = choose("asr", WHISPERX, gpus(gibibytes), {}).values
    assert (values["compute_type"], values.get("batch_size")) == (compute_type, batch)


def test_the_stages_of_one_environment_agree_so_that_they_share_their_model() -> None:
    for hardware in (BOX, MAC, gpus(4), gpus(24)):
        found = [choose(stage, WHISPERX, hardware, {}).values for stage in ("asr", "align", "translate")]
        assert len({(choice.get("device"), choice.get("compute_type")) for choice in found}) == 1


def test_a_gpu_of_unknown_memory_is_used_with_the_engines_own_batch() -> None:
    assert choose("asr", WHISPERX, gpus(0), {}).values == {"device": "cuda", "compute_type": "float16"}


def test_a_torch_without_cuda_finds_no_gpu() -> None:
    found = choose("vad", envspecs.read("pyannote"), gpus(80), {}, {"torch": "2.13.0+cpu"})
    assert found.values == {"device": "cpu"}
    assert "2.13.0+cpu was built without CUDA" in found.reasons[0]
    with_cuda = choose("vad", envspecs.read("pyannote"), gpus(80), {}, {"torch": "2.13.0+cu130"})
    assert with_cuda.values == {"device": "cuda"}


def test_what_a_person_set_wins_and_the_rest_follows_it() -> None:
    asked = {"device": "cpu", "model": "whisper-base"}
    found = choose("asr", WHISPERX, gpus(80), asked)
    assert found.values == {"compute_type": "int8"}
    assert found.reasons[0] == "device cpu: asked for"
    second = choose("asr", WHISPERX, gpus(80, 4), {"device": "cuda:1"})
    assert second.values == {"compute_type": "int8_float16", "batch_size": 4}
    all_three = {"device": "cuda", "compute_type": "float32", "batch_size": 1}
    found = choose("asr", WHISPERX, gpus(80), all_three)
    assert found.values == {}
    assert all(reason.endswith(": asked for") for reason in found.reasons)


def test_a_device_that_nobody_has_is_left_to_the_engine_to_refuse() -> None:
    for device in ("cuda:7", "cuda:x", "tpu", "auto"):
        assert "device" not in choose("asr", WHISPERX, gpus(80), {"device": device}).values


def test_apples_gpu_is_for_those_that_compute_on_it() -> None:
    for family, stage in (("demucs", "separate"), ("nllb", "translate"), ("indictrans2", "translate")):
        assert choose(stage, envspecs.read(family), MAC, {}).values == {"device": "mps"}
    assert choose("vad", envspecs.read("pyannote"), MAC, {}).values == {"device": "cpu"}
    assert choose("asr", WHISPERX, MAC, {}).values == {}
    assert "Apple's GPU" in reasons("asr", WHISPERX, MAC)["device"]


def test_mlx_and_bergamot_are_left_to_themselves_everywhere() -> None:
    for hardware in (BOX, MAC, gpus(12)):
        assert choose("asr", envspecs.read("mlx"), hardware, {}).values.get("device") is None
        assert "compute_type" not in choose("asr", envspecs.read("mlx"), hardware, {}).values
    assert reasons("asr", envspecs.read("mlx"), MAC)["device"] == "auto: mlx chooses by itself (metal)"
    assert choose("translate", envspecs.read("bergamot"), BOX, {}).values == {}


def test_little_memory_means_small_batches() -> None:
    little = Hardware(platform="Linux", machine="x86_64", ram_bytes=2 * GIBIBYTE)
    assert choose("asr", WHISPERX, little, {}).values == {"batch_size": 1}
    assert reasons("asr", WHISPERX, little)["batch_size"] == "1: the machine has 2.1 GB of memory"
    unknown = Hardware(platform="Linux", machine="x86_64")
    assert choose("asr", WHISPERX, unknown, {}).values == {}


def test_a_copy_of_an_environment_is_told_what_its_source_is() -> None:
    copy = replace(WHISPERX, name="whisperx-experimental", copied_from="whisperx")
    assert choose("asr", copy, gpus(80), {}) == choose("asr", WHISPERX, gpus(80), {})


def test_a_stage_without_such_fields_or_of_another_environment_is_given_nothing() -> None:
    for stage, environment in (("demux", envspecs.read("common")), ("vad", WHISPERX)):
        found = choose(stage, environment, gpus(80), {})
        assert (found.values, found.reasons) == ({}, ())


def test_what_is_chosen_can_be_a_field_of_its_stage() -> None:
    families = {
        "whisperx": ("asr", "align", "translate"),
        "pyannote": ("vad",),
        "demucs": ("separate",),
        "nllb": ("translate",),
        "mlx": ("asr",),
        "bergamot": ("translate",),
    }
    for family, stages in families.items():
        for stage in stages:
            for hardware in (BOX, MAC, gpus(4), gpus(8), gpus(80)):
                found = choose(stage, envspecs.read(family), hardware, {})
                for name, value in found.values.items():
                    check_field(STAGES[stage].request, name, value)
                assert all(": " in reason for reason in found.reasons)


NEW = """
name = "new"
purpose = "Of somebody else"
requirements = ["pyzmq>=27", "msgpack>=1.1"]
[stages]
asr = { engine = "workers.engines.new:NewAsr" }
align = { engine = "workers.engines.new:NewAlign" }
"""


def new(computing: str = "") -> EnvSpec:
    return parse("new", NEW + computing)


def test_the_environment_of_the_document_computes_on_the_processor_whatever_gpu_there_is() -> None:
    text = next(block.text for block in blocks_of(ADDING) if block.path.endswith("/phrasebook.toml"))
    added = parse("phrasebook", text)
    for hardware in (gpus(80), gpus(4), MAC):
        found = choose("translate", added, hardware, {})
        assert found.values == {"device": "cpu"}
        assert found.reasons[0] == "device cpu: phrasebook computes on the processor"
    assert choose("translate", added, BOX, {}).values == {}


def test_an_environment_that_says_nothing_computes_on_the_processor_alone() -> None:
    for stage in ("asr", "align"):
        for hardware in (gpus(80), MAC):
            assert choose(stage, new(), hardware, {}).values == {"device": "cpu"}


def test_what_a_spec_says_is_told_on_every_machine_unless_its_engine_knows_it() -> None:
    says = '[computing]\ndevices = ["cuda", "mps", "cpu"]\n'
    says += 'compute_types = { cuda = "bfloat16", mps = "float16", cpu = "int8" }\n'
    assert choose("asr", new(says), gpus(80), {}).values == {"device": "cuda", "compute_type": "bfloat16"}
    assert choose("asr", new(says), MAC, {}).values == {"device": "mps", "compute_type": "float16"}
    assert choose("asr", new(says), BOX, {}).values == {"compute_type": "int8"}
    says += "chooses_the_same = true\n"
    assert choose("asr", new(says), gpus(80), {}).values == {"device": "cuda", "compute_type": "bfloat16"}
    assert choose("asr", new(says), MAC, {}).values == {}
    assert choose("asr", new(says), BOX, {}).values == {}


def test_numbers_for_much_or_little_memory_go_before_those_of_the_device() -> None:
    says = """[computing]
    devices = ["cuda", "cpu"]
    compute_types = { cpu = "float32" }
    chooses_the_same = true
    by_memory = [
        { gpu_from_gib = 24, compute_type = "float16" },
        { ram_below_gib = 8, compute_type = "int8" },
        { ram_from_gib = 8, ram_below_gib = 16, batch_sizes = { asr = 3 } },
    ]
    """
    found = choose("asr", new(says), gpus(24), {})
    assert found.values == {"device": "cuda", "compute_type": "float16"}
    assert found.reasons[1] == "compute_type float16: the GPU has 25.8 GB of memory"
    little, middle = (replace(BOX, ram_bytes=number * GIBIBYTE) for number in (7, 8))
    found = choose("asr", new(says), little, {})
    assert found.values == {"compute_type": "int8"}
    assert found.reasons[1] == "compute_type int8: the machine has 7.5 GB of memory"
    assert choose("asr", new(says), middle, {}).values == {"batch_size": 3}
    assert choose("asr", new(says), BOX, {}).values == {}


def test_an_engine_that_decides_by_itself_is_told_nothing() -> None:
    for hardware in (BOX, MAC, gpus(80)):
        found = choose("asr", new('[computing]\ndevices = ["own"]\n'), hardware, {})
        assert found.values == {}
        assert found.reasons[0] == "device auto: new chooses by itself"


def test_an_engine_for_gpus_alone_is_left_to_refuse_where_there_is_none() -> None:
    for device in ("cuda", "mps"):
        found = choose("asr", new(f'[computing]\ndevices = ["{device}"]\n'), BOX, {})
        assert found.values == {}
        assert found.reasons[0] == (
            "device auto: no GPU was found, and new does not compute on the processor"
        )
    found = choose("asr", new('[computing]\ndevices = ["mps", "cpu"]\n'), gpus(80), {})
    assert found.reasons[0] == "device cpu: new does not compute on an NVIDIA GPU"


def test_a_stage_can_compute_otherwise_than_its_environment() -> None:
    mixed = parse(
        "new",
        """
        name = "new"
        purpose = "For tests"
        requirements = []
        [computing]
        devices = ["cuda", "cpu"]
        [stages]
        align = { engine = "workers.engines.new:NewAlign" }
        [stages.asr]
        engine = "workers.engines.new:NewAsr"
        computing = { devices = ["cpu"] }
        """,
    )
    assert choose("asr", mixed, gpus(80), {}).values == {"device": "cpu"}
    assert choose("align", mixed, gpus(80), {}).values == {"device": "cuda"}
