from __future__ import annotations

import dataclasses
import datetime as dt

from clients.screen import health
from clients.screen.nodes import node_sentences
from clients.screen.table import lay_out, plain
from protocol.cluster.health import NodeHealth
from protocol.cluster.messages import Share
from protocol.errors import Problem
from protocol.hardware import Hardware
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


BOX = NodeHealth(
    name="big-box", standing="present", since="1970-01-01T23:00:00.000Z", cores=16,
    hardware=Hardware(platform="Linux", machine="x86_64", cpu="EPYC", cores=16, ram_bytes=64 * 10**9),
    rss_bytes=3 * 10**9, ram_budget_bytes=48 * 10**9, free_disk_bytes=2 * 10**12, clock_ahead_ms=-3_600_000,
    shares=(Share(head="/mnt/nas", here="/Volumes/nas"),), fetches=True, models=("a", "b"),
)  # fmt: skip


def test_a_node_says_what_it_has_and_how_it_reaches_files():
    assert node_sentences(BOX, 86_460.0, dt.UTC) == [
        "big-box: present since 01 Jan 23:00",
        "EPYC, 16 cores, 64.0 GB of memory, no GPU",
        "2000.0 GB free on the disk, 2 models, its workers use 3.0 GB of 48.0 GB of memory",
        "shares /mnt/nas (there /Volumes/nas), fetches files from here, its clock is 1:00:00 behind",
    ]


def test_of_a_node_that_has_said_little_nothing_is_made_up():
    new = NodeHealth(name="big-box", standing="present", since="1970-01-02T00:00:59.500Z", cores=4)
    assert node_sentences(new, 86_460.0, dt.UTC) == ["big-box: present since 00:00:59", "4 cores"]


def test_a_full_disk_of_a_node_is_shown_as_such():
    full = dataclasses.replace(BOX, free_disk_bytes=0)
    assert node_sentences(full, 86_460.0, dt.UTC)[2].startswith("nothing free on the disk")


def test_a_lost_node_is_one_line_and_its_problem_has_a_remedy():
    problem = Problem(sentence="It is lost.", remedy="On big-box: cpw up")
    lost = NodeHealth(name="big-box", standing="lost", since="1970-01-02T00:00:58.000Z", problems=(problem,))
    assert node_sentences(lost, 86_460.0, dt.UTC) == ["big-box: lost since 00:00:58"]
    report = dataclasses.replace(HEALTH, environments=(), nodes=(lost,))
    assert health.health_problems(report) == [("big-box: It is lost.", "On big-box: cpw up")]


def test_each_machine_has_a_table_of_its_own_workers():
    there = environment("whisperx", "crash-loop", node="big-box", worker="whisperx.2", problem="It died.")
    report = dataclasses.replace(HEALTH, environments=(HEALTH.environments[0], there), nodes=(BOX,))
    names = {
        node: [row[0] for row in health.health_table(report, 86_460.0, dt.UTC, node).rows]
        for node in ("", "big-box")
    }
    assert names == {"": ["whisperx"], "big-box": ["whisperx.2"]}
    assert health.health_problems(report) == [("whisperx.2 on big-box: It died.", "")]
