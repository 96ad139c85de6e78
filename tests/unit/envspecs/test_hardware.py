"""Detecting the machine: played machines, and the file that is kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from envspecs import hardware
from envspecs.builds.build import build
from envspecs.hardware import CACHE, Machine, detect, known, ram_bytes
from envspecs.spec import read
from protocol.hardware import CudaDevice
from tests.unit.envspecs.conftest import TINY, Home, Lines

TWO_GPUS = "GPU-aaaa-1, 81559, NVIDIA H100 80GB HBM3\nGPU-bbbb-2, 6144, NVIDIA GeForce RTX 2060\n"
MACOS = {
    "machdep.cpu.brand_string": "Apple M3 Max\n",
    "hw.memsize": "68719476736\n",
    "kern.boottime": "{ sec = 1 }",
}


class Played:
    """A machine whose commands answer as a test says, and are counted."""

    def __init__(self, root: Path, **answers: str) -> None:
        self.answers, self.asked = answers, 0
        self.root = root
        self.write("proc/meminfo", "MemTotal:       16000000 kB\nMemFree: 1 kB\n")
        self.write("proc/cpuinfo", "processor : 0\nmodel name\t: AMD  EPYC 7B13\n")
        self.write("proc/sys/kernel/random/boot_id", "boot-1\n")

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def run(self, command: Sequence[str]) -> str:
        self.asked += 1
        return self.answers.get(command[0], "")

    def machine(self, **fields: object) -> Machine:
        given = {"root": self.root, "system": "Linux", "machine": "x86_64", "host": "here", "cores": 8}
        return Machine(**(given | {"run": self.run, "visible": None} | fields))


@pytest.fixture
def played(tmp_path: Path) -> Played:
    return Played(tmp_path / "root")


def test_a_linux_machine_without_a_gpu(played: Played) -> None:
    found = detect(played.machine())
    assert (found.platform, found.machine, found.cpu) == ("Linux", "x86_64", "AMD EPYC 7B13")
    assert (found.cores, found.ram_bytes, found.cuda, found.mps) == (8, 16_384_000_000, (), False)


def test_gpus_are_listed_with_their_memory(played: Played) -> None:
    played.answers["nvidia-smi"] = TWO_GPUS
    assert detect(played.machine()).cuda == (
        CudaDevice(index=0, name="NVIDIA H100 80GB HBM3", memory_bytes=81_559 << 20),
        CudaDevice(index=1, name="NVIDIA GeForce RTX 2060", memory_bytes=6_144 << 20),
    )


@pytest.mark.parametrize(
    ("visible", "names"),
    [
        ("", []),
        ("-1", []),
        ("1", ["NVIDIA GeForce RTX 2060"]),
        ("1,0", ["NVIDIA GeForce RTX 2060", "NVIDIA H100 80GB HBM3"]),
        ("GPU-aaaa", ["NVIDIA H100 80GB HBM3"]),
        ("0,7,1", ["NVIDIA H100 80GB HBM3"]),
        ("GPU-", []),
    ],
)
def test_only_the_gpus_that_workers_see_count_and_are_numbered_as_there(
    played: Played, visible: str, names: list[str]
) -> None:
    played.answers["nvidia-smi"] = TWO_GPUS
    found = detect(played.machine(visible=visible)).cuda
    assert [gpu.name for gpu in found] == names
    assert [gpu.index for gpu in found] == list(range(len(names)))


@pytest.mark.parametrize(
    "answer", ["No devices were found\n", "NVIDIA-SMI has failed because it couldn't\n", "\0,,", "GPU-a, 1"]
)
def test_what_is_no_list_of_gpus_is_none(played: Played, answer: str) -> None:
    played.answers["nvidia-smi"] = answer
    assert detect(played.machine()).cuda == ()


def test_a_gpu_that_does_not_tell_its_memory_is_still_one(played: Played) -> None:
    played.answers["nvidia-smi"] = "GPU-a, [N/A], NVIDIA GB10\n"
    assert detect(played.machine()).cuda == (CudaDevice(index=0, name="NVIDIA GB10", memory_bytes=0),)


@pytest.mark.parametrize(
    ("group", "path", "text", "expected"),
    [
        ("0::/job/x\n", "sys/fs/cgroup/job/memory.max", "4000000000\n", 4_000_000_000),
        ("0::/job/x\n", "sys/fs/cgroup/job/memory.max", "max\n", 16_384_000_000),
        ("0::/\n", "sys/fs/cgroup/memory.max", "4000000000\n", 4_000_000_000),
        ("4:memory:/box/1\n", "sys/fs/cgroup/memory/memory.limit_in_bytes", "3000000000\n", 3_000_000_000),
        ("4:memory:/b\n", "sys/fs/cgroup/memory/b/memory.limit_in_bytes", "3000000000\n", 3_000_000_000),
        (
            "4:memory:/b\n",
            "sys/fs/cgroup/memory/b/memory.limit_in_bytes",
            "9223372036854771712\n",
            16_384_000_000,
        ),
        ("4:cpu:/b\n", "sys/fs/cgroup/memory/b/memory.limit_in_bytes", "3000000000\n", 16_384_000_000),
    ],
)
def test_the_control_groups_limit_counts_where_it_is_less(
    played: Played, group: str, path: str, text: str, expected: int
) -> None:
    played.write("proc/self/cgroup", group)
    played.write(path, text)
    (played.root / "sys/fs/cgroup/job/x").mkdir(parents=True, exist_ok=True)
    assert ram_bytes(played.machine()) == expected


def test_a_quota_of_processor_time_counts_as_cores(played: Played) -> None:
    played.write("proc/self/cgroup", "0::/job\n")
    played.write("sys/fs/cgroup/job/cpu.max", "max 100000\n")
    unlimited = detect(played.machine(cores=0)).cores
    played.write("sys/fs/cgroup/job/cpu.max", "50000 100000\n")
    assert detect(played.machine(cores=0)).cores == 1 <= unlimited


def test_a_machine_that_says_nothing_is_no_error(tmp_path: Path) -> None:
    found = detect(Machine(root=tmp_path / "void", system="Linux", machine="riscv64", run=lambda _: ""))
    assert (found.cpu, found.ram_bytes, found.cuda) == ("", 0, ())
    assert found.cores >= 1


def test_apples_processors_have_mps_and_mlx(tmp_path: Path) -> None:
    mac = Machine(
        root=tmp_path,
        system="Darwin",
        machine="arm64",
        host="mac",
        run=lambda words: MACOS.get(words[-1], ""),
    )
    found = known(state=tmp_path, here=mac)
    assert (found.cpu, found.ram_bytes) == ("Apple M3 Max", 64 << 30)
    assert (found.mps, found.mlx) == (True, "metal")
    assert not detect(replace(mac, machine="x86_64")).mps


def test_what_was_found_is_kept_and_not_asked_again(played: Played, tmp_path: Path) -> None:
    played.answers["nvidia-smi"] = TWO_GPUS
    first = known(state=tmp_path, here=played.machine())
    asked = played.asked
    assert known(state=tmp_path, here=played.machine()) == first
    assert played.asked == asked
    assert json.loads((tmp_path / CACHE).read_text())["version"] == 1


def test_it_is_asked_again_when_a_person_wants_it(played: Played, tmp_path: Path) -> None:
    known(state=tmp_path, here=played.machine())
    played.answers["nvidia-smi"] = TWO_GPUS
    assert known(state=tmp_path, here=played.machine()).cuda == ()
    assert len(known(refresh=True, state=tmp_path, here=played.machine()).cuda) == 2
    assert len(known(state=tmp_path, here=played.machine()).cuda) == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", 0),
        ("boot", "boot-0"),
        ("host", "another"),
        ("visible", "1"),
        ("at", "2020-01-01T00:00:00.000Z"),
        ("at", "yesterday"),
        ("at", "+999999-01-01"),
        ("hardware", {"platform": "Linux"}),
        ("hardware", None),
    ],
)
def test_a_stale_file_is_made_anew(played: Played, tmp_path: Path, field: str, value: object) -> None:
    known(state=tmp_path, here=played.machine())
    kept = json.loads((tmp_path / CACHE).read_text())
    kept["hardware"]["cpu"] = "an older one"
    (tmp_path / CACHE).write_text(json.dumps(kept))
    assert known(state=tmp_path, here=played.machine()).cpu == "an older one"
    (tmp_path / CACHE).write_text(json.dumps(kept | {field: value}))
    assert known(state=tmp_path, here=played.machine()).cpu == "AMD EPYC 7B13"
    assert json.loads((tmp_path / CACHE).read_text())["hardware"]["cpu"] == "AMD EPYC 7B13"


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_file_is_made_anew(played: Played, tmp_path: Path, damage: bytes) -> None:
    (tmp_path / CACHE).write_bytes(damage)
    assert known(state=tmp_path, here=played.machine()).cpu == "AMD EPYC 7B13"
    assert json.loads((tmp_path / CACHE).read_text())["hardware"]["cores"] == 8


def test_a_folder_that_cannot_be_written_is_no_error(played: Played, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert known(state=tmp_path / "file" / "state", here=played.machine()).cores == 8


def test_a_command_that_fails_or_hangs_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "ASK_S", 0.2)
    assert hardware.output_of(["cpw-no-such-program"]) == ""
    assert hardware.output_of(["sh", "-c", "echo wrong; exit 9"]) == ""
    assert hardware.output_of(["sleep", "60"]) == ""
    assert hardware.output_of(["echo", "right"]) == "right\n"


def test_this_machine_is_found() -> None:
    found = detect()
    assert found.cores >= 1
    assert found.ram_bytes > 500_000_000


def test_mlx_computes_on_the_processor_where_an_environment_with_it_is_built(
    home: Home, report: Lines, played: Played, tmp_path: Path
) -> None:
    text = TINY + '[stages]\nasr = { engine = "workers.engines.x:X" }\n[computing]\ndevices = ["mlx"]\n'
    home.spec("tiny", text)
    assert known(state=tmp_path, root=home.root, here=played.machine()).mlx == ""
    build(read("tiny", home.specs), report, home.root)
    assert known(state=tmp_path, root=home.root, here=played.machine()).mlx == "cpu"
    home.spec("broken", "name = 7\n")
    assert known(state=tmp_path, root=home.root, here=played.machine()).mlx == ""


def test_the_cores_are_those_of_this_start_and_not_of_the_one_that_wrote_the_file(
    played: Played, tmp_path: Path
) -> None:
    assert known(state=tmp_path, here=played.machine(cores=8)).cores == 8
    assert known(state=tmp_path, here=played.machine(cores=2)).cores == 2
