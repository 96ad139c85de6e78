from __future__ import annotations

import dataclasses
import datetime as dt

from clients.screen import health
from clients.screen.table import lay_out, plain
from protocol.messages import EnvironmentHealth, HealthReport, LoadedModel


def environment(name, state, **facts) -> EnvironmentHealth:
    known = {"built": True, "optional": False, "stages": ("asr",), "usable": state == "ready", **facts}
    return EnvironmentHealth(environment=name, state=state, **known)


HEALTH = HealthReport(
    healthy=True, run="r", pid=7, uptime_ms=1_000, jobs_running=1, jobs_queued=0, free_disk_bytes=2 * 10**9,
    environments=(
        environment("whisperx", "ready", pid=9, uptime_ms=1_000, rss_bytes=1_500_000_000, echo_ms=20,
                    calls_done=3, models=(LoadedModel(key="whisper-base", loads=1, load_ms=3_200),)),
        environment("nllb", "not built", built=False, optional=True, problem="It is not built."),
        environment("mlx", "crash-loop", problem="It crashes.", remedy="cpw envs build mlx"),
    ),
)  # fmt: skip


def test_health_shows_models_with_their_loads_and_who_was_left_out():
    header, *rows = (
        plain(line) for line in lay_out(health.health_table(HEALTH, 86_400.0 + 60, dt.UTC), None)
    )
    assert "models (loads)" in header
    assert rows[0].startswith(
        "whisperx     ready                   9  00:00:59  1.5 GB      3  0.0 s ago  asr"
    )
    assert rows[0].endswith("whisper-base (1)")
    assert "not built (optional)" in rows[1]


def test_an_environment_nobody_wanted_is_no_problem():
    assert health.health_problems(HEALTH) == [("mlx: It crashes.", "cpw envs build mlx")]


def test_health_in_one_sentence():
    assert health.health_sentence(HEALTH, 86_400.0 + 60, dt.UTC) == (
        "healthy: coordinator 7 up since 00:00:59, 1 job running, 0 queued, 2.0 GB free on the disk"
    )


def test_health_shows_how_many_cores_a_running_call_has_and_how_many_there_are():
    busy = dataclasses.replace(HEALTH.environments[0], state="busy", cores=2)
    report = dataclasses.replace(HEALTH, cores=3, environments=(busy, *HEALTH.environments[1:]))
    header, *rows = (plain(line) for line in lay_out(health.health_table(report, 86_460.0, dt.UTC), None))
    assert "memory  cores  calls" in header
    assert "1.5 GB      2      3" in rows[0]
    assert ", 0 queued, 3 cores, 2.0 GB free" in health.health_sentence(report, 86_460.0, dt.UTC)


def test_health_shows_each_worker_of_an_environment_by_its_name():
    first = HEALTH.environments[0]
    second = dataclasses.replace(first, worker="whisperx.2", state="crash-loop", problem="It died.")
    report = dataclasses.replace(HEALTH, environments=(dataclasses.replace(first, worker="whisperx"), second))
    _, *rows = (plain(line) for line in lay_out(health.health_table(report, 86_460.0, dt.UTC), None))
    assert [row.split()[:2] for row in rows] == [["whisperx", "ready"], ["whisperx.2", "crash-loop"]]
    assert health.health_problems(report) == [("whisperx.2: It died.", "")]
    assert [line.split()[0] for line in health.model_sentences(report)] == ["whisperx", "whisperx.2"]
