"""What is shown of the machine and of loaded models."""

from __future__ import annotations

from clients.screen import machine as views
from clients.screen.table import lay_out, plain
from protocol.clock import parse_iso_ms
from protocol.hardware import CudaDevice, Hardware
from protocol.messages import EnvironmentHealth, HealthReport, LoadedModel

BOX = Hardware(platform="Linux", machine="x86_64", cpu="AMD EPYC", cores=16, ram_bytes=64_000_000_000)
H100 = CudaDevice(index=0, name="NVIDIA H100", memory_bytes=85_000_000_000)
NOW = parse_iso_ms("2026-11-22T12:00:00.000Z") / 1000
WHISPER = LoadedModel(
    key="whisper:whisper-base@cpu/int8", loads=2, load_ms=3_200, bytes=95_000_000, device="cpu",
    loaded_at="2026-11-22T10:00:00.000Z", used_at="2026-11-22T11:59:20.000Z",
)  # fmt: skip
OLD = LoadedModel(key="from an older worker", loads=1, load_ms=10)


def environment(name: str, *models: LoadedModel, **fields: object) -> EnvironmentHealth:
    known = {"built": True, "optional": False, "stages": (), "state": "ready", "usable": True, "pid": 9}
    return EnvironmentHealth(environment=name, models=models, **(known | fields))


REPORT = HealthReport(
    healthy=True, run="r", pid=1, uptime_ms=1, jobs_running=0, jobs_queued=0,
    environments=(
        environment("whisperx", WHISPER, OLD, rss_bytes=900_000_000, ram_budget_bytes=4_000_000_000),
        environment("nllb", rss_bytes=300_000_000),
        environment("mlx", state="not built", pid=None),
    ),
    ram_budget_bytes=51_200_000_000,
)  # fmt: skip


def test_the_machine_in_one_line() -> None:
    assert views.hardware_sentence(BOX) == "AMD EPYC, 16 cores, 64.0 GB of memory, no GPU"
    card = Hardware(platform="Linux", machine="aarch64", cuda=(H100,))
    assert views.hardware_sentence(card) == "aarch64, 1 core, NVIDIA H100 (85.0 GB)"
    mac = Hardware(platform="Darwin", machine="arm64", cpu="Apple M3", cores=8, mps=True)
    assert views.hardware_sentence(mac) == "Apple M3, 8 cores, Apple's GPU"


def test_the_machine_as_a_table() -> None:
    rows = dict(views.hardware_table(BOX).rows)
    assert rows["cuda"] == "none"
    assert (rows["mps"], rows["mlx"]) == ("no", "no")
    rows = dict(views.hardware_table(Hardware(platform="Linux", machine="x", cuda=(H100,), mlx="cpu")).rows)
    assert (rows["cuda:0"], rows["mlx"], rows["memory"]) == (
        "NVIDIA H100, 85.0 GB",
        "on the cpu",
        "not known",
    )


def test_loaded_models_are_shown_with_since_when_and_how_often() -> None:
    header, first, second = (plain(line).split() for line in lay_out(views.loaded_table(REPORT, NOW), None))
    assert header[:2] == ["environment", "model"]
    assert " ".join(first) == "whisperx whisper:whisper-base@cpu/int8 cpu 95 MB 2 h ago 40 s ago 2 3.2 s"
    assert " ".join(second) == "whisperx from an older worker 1 0.0 s"


def test_each_worker_is_shown_with_its_budget_and_all_with_theirs() -> None:
    assert views.budget_sentences(REPORT) == [
        "whisperx uses 900 MB of 4.0 GB",
        "nllb uses 300 MB, without its own limit",
        "all together use 1.2 GB of 51.2 GB",
    ]


def test_the_document_holds_every_worker_there_is() -> None:
    document = views.loaded_json(REPORT)
    workers = document["workers"]
    assert isinstance(workers, list)
    assert [worker["environment"] for worker in workers] == ["whisperx", "nllb"]
    assert workers[0]["models"] == (WHISPER, OLD)
    assert document["ram_budget_bytes"] == 51_200_000_000
