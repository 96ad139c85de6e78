"""What `/metrics` says: the names, labels and units that dashboards are built on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from clients.api.metrics import exposition
from protocol.cluster.health import NodeHealth
from protocol.jobs.figures import TOOK_S, StepFigures
from protocol.messages import CallIdentity, EnvironmentHealth, FiguresReport, HealthReport, LoadedModel

JOB = "job-20261127-asha-0001"
OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"
ASR = StepFigures(
    stage="asr",
    environment="whisperx",
    ended={"done": 3, "reused": 1, "failed": 1},
    attempts={"done": 3, "crashed": 2},
    took=(0, 1, 1, *[0] * 9, 1),
    took_ms=20_012_500,
    sound_ms=90_500,
)


def worker(name: str, *, environment: str = "whisperx", **fields: Any) -> EnvironmentHealth:
    given = {"built": True, "optional": False, "stages": ("asr",), "state": "ready", "usable": True}
    return EnvironmentHealth(environment=environment, worker=name, **(given | fields))


def model(key: str, size: int, device: str = "cpu") -> LoadedModel:
    return LoadedModel(key=key, loads=1, load_ms=1, bytes=size, device=device)


REPORT = FiguresReport(
    health=HealthReport(
        healthy=True,
        run="7",
        pid=1,
        uptime_ms=61_500,
        environments=(
            worker(
                "whisperx",
                rss_bytes=800,
                echo_ms=40,
                restarts=2,
                calls_done=9,
                busy_with=CallIdentity(job=JOB, step="asr", attempt=1, run="7"),
                models=(
                    model("whisper:whisper-base@cpu/int8", 95),
                    model("whisper:whisper-base@cpu/float32", 290),
                ),
            ),
            worker("whisperx.2", state="loading", usable=False),
            worker("", environment="nllb", built=False, state="not built", usable=False),
            worker(
                "whisperx", node="box", rss_bytes=900, models=(model("whisper:whisper-base@cuda/int8", 7),)
            ),
        ),
        nodes=(
            NodeHealth(name="box", standing="present", free_disk_bytes=4_000),
            NodeHealth(name="gone", standing="lost"),
        ),
        jobs_running=1,
        jobs_queued=2,
        free_disk_bytes=5_000,
        cores=2,
    ),
    jobs={"running": 1, "queued": 2, "held": 0, "done": 7, "failed": 1, "cancelled": 0},
    steps=(ASR,),
    revision=41,
)


@pytest.fixture(params=["", OPENMETRICS], ids=["text", "openmetrics"])
def samples(request: pytest.FixtureRequest) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    text, _ = exposition(REPORT, {"out": 6_000}, request.param)
    read: Any = read_openmetrics if request.param else read_text
    return dict(_samples(read(text.decode())))


def _samples(families: Any) -> Iterator[tuple[Any, float]]:
    for family in families:
        for sample in family.samples:
            yield (sample.name, frozenset(sample.labels.items())), sample.value


def test_the_format_is_the_one_that_is_asked_for() -> None:
    _, plain = exposition(REPORT, {}, "text/plain")
    text, modern = exposition(REPORT, {}, OPENMETRICS)
    assert plain.startswith("text/plain; version=")
    assert modern.startswith("application/openmetrics-text; version=")
    assert text.endswith(b"# EOF\n")


def test_what_is_true_of_the_whole_house(samples: Any) -> None:
    def value(name: str, **labels: str) -> float:
        return samples[name, frozenset(labels.items())]

    assert value("cpw_healthy") == 1
    assert value("cpw_uptime_seconds") == 61.5
    assert value("cpw_cores") == 2
    assert value("cpw_jobs", state="queued") == 2
    assert value("cpw_jobs", state="done") == 7
    assert value("cpw_disk_free_bytes", place="state") == 5_000
    assert value("cpw_disk_free_bytes", place="out") == 6_000
    assert value("cpw_store_changes_total") == 41
    (about,) = [dict(labels) for name, labels in samples if name == "cpw_info"]
    assert about.keys() == {"version", "wire_version"}


def test_steps_are_counted_by_stage_environment_and_outcome(samples: Any) -> None:
    def value(name: str, **labels: str) -> float:
        return samples[name, frozenset({"stage": "asr", "env": "whisperx", **labels}.items())]

    assert [value("cpw_steps_total", outcome=name) for name in ("done", "reused", "failed")] == [3, 1, 1]
    assert [value("cpw_step_attempts_total", kind=name) for name in ("done", "crashed")] == [3, 2]
    assert value("cpw_media_seconds_total") == 90.5
    assert value("cpw_step_seconds_sum") == 20_012.5
    assert value("cpw_step_seconds_count") == 3
    buckets = [value("cpw_step_seconds_bucket", le=f"{limit:.1f}") for limit in TOOK_S]
    assert buckets == [0, 1, *[2] * 10]
    assert value("cpw_step_seconds_bucket", le="+Inf") == 3


def test_each_worker_has_its_figures_and_one_that_is_not_built_has_none(samples: Any) -> None:
    def value(name: str, **labels: str) -> float:
        return samples[
            name, frozenset({"env": "whisperx", "worker": "whisperx", "node": "", **labels}.items())
        ]

    assert value("cpw_worker_up", state="ready") == 1
    assert value("cpw_worker_up", worker="whisperx.2", state="loading") == 0
    assert value("cpw_worker_busy") == 1
    assert value("cpw_worker_resident_bytes") == 800
    assert value("cpw_worker_restarts_total") == 2
    assert value("cpw_worker_calls_total") == 9
    assert value("cpw_worker_last_echo_seconds") == 0.04
    assert "nllb" not in {dict(labels).get("env") for _, labels in samples}


def test_a_model_that_computes_in_two_ways_is_one_series(samples: Any) -> None:
    named = {"env": "whisperx", "worker": "whisperx", "node": "", "model": "whisper-base", "device": "cpu"}
    where = frozenset(named.items())
    assert samples["cpw_model_loaded", where] == 1
    assert samples["cpw_model_bytes", where] == 385


def test_workers_of_one_name_are_told_apart_by_their_node_and_a_node_is_up_or_not(samples: Any) -> None:
    def value(name: str, **labels: str) -> float:
        return samples[name, frozenset(labels.items())]

    there = {"env": "whisperx", "worker": "whisperx", "node": "box"}
    assert value("cpw_worker_resident_bytes", **there) == 900
    assert value("cpw_model_bytes", **there, model="whisper-base", device="cpu") == 7
    assert [value("cpw_node_up", node=name) for name in ("box", "gone")] == [1, 0]
    assert value("cpw_node_free_disk_bytes", node="box") == 4_000
    assert ("cpw_node_free_disk_bytes", frozenset({("node", "gone")})) not in samples


def test_no_series_comes_twice_and_none_names_a_job() -> None:
    text, _ = exposition(REPORT, {}, "")
    series = [line.rpartition(" ")[0] for line in text.decode().splitlines() if not line.startswith("#")]
    assert len(series) == len(set(series))
    assert JOB not in text.decode()
