"""Which machine a step goes to."""

from __future__ import annotations

from coordinator.nodes.nodes import NODE_SILENT_AFTER_S, Node
from coordinator.nodes.placing import Wanted, may_do
from coordinator.running.roster import Member
from envspecs.cluster.elsewhere import Elsewhere, read_elsewhere
from protocol.cluster.messages import Share
from protocol.messages import LoadedModel, Result
from tests.lone_coordinator import LoneCoordinator, called, demux_result
from tests.played_node import PlayedNode

LOCKS = {"whisperx": "abc"}


def node(**fields: object) -> Node:
    given = {
        "name": "box",
        "clock_ahead_ms": 0,
        "heard_s": 0.0,
        "met_s": 0.0,
        "met_at": "",
        "locks": LOCKS,
        "cores": 8,
        "ram_budget_bytes": 0,
        "hardware": None,
    }
    return Node(**(given | fields))  # type: ignore[arg-type]  # (the fields of a Node)


def wanted(**fields: object) -> Wanted:
    return Wanted(**({"environment": "whisperx", "directory": "/nas/out/job"} | fields))  # type: ignore[arg-type]  # (as above)


NAS = Share(head="/nas", here="/mnt/nas")


def test_files_are_reached_by_a_share_or_fetched_and_a_film_is_never_fetched() -> None:
    assert not may_do(wanted(), node(), LOCKS)
    assert may_do(wanted(), node(fetches=True), LOCKS)
    assert may_do(wanted(), node(shares=(NAS,)), LOCKS)
    assert not may_do(wanted(film="/films/a.mkv"), node(fetches=True), LOCKS)
    assert not may_do(wanted(film="/films/a.mkv"), node(shares=(NAS,), fetches=True), LOCKS)
    assert may_do(wanted(film="/nas/a.mkv"), node(shares=(NAS,)), LOCKS)
    assert not may_do(wanted(directory="/nas2/out"), node(shares=(NAS,)), LOCKS)


def test_a_node_with_a_full_disk_fetches_nothing_and_still_works_in_a_share() -> None:
    full = {"free_disk_bytes": 1_000, "fetches": True}
    assert not may_do(wanted(), node(**full), LOCKS)
    assert may_do(wanted(), node(**full, shares=(NAS,)), LOCKS)


def test_another_lock_and_a_service_that_the_head_was_told_of_keep_a_step_away() -> None:
    assert not may_do(wanted(), node(fetches=True, locks={"whisperx": "other"}), LOCKS)
    assert not may_do(wanted(), node(fetches=True, locks={}), LOCKS)
    assert not may_do(wanted(asks_service=True), node(fetches=True), LOCKS)


def demuxed(lone: LoneCoordinator) -> str:
    """Return a job whose sound is there, so that it waits for asr."""
    job = lone.add_job(parameters={"asr": {"model": "whisper-tiny.en"}})
    common = lone.worker()
    identity = called(lone, common)
    result, audio = demux_result(lone.path / job.replace("-", ""), identity)
    common.say(Result(result=result, artefacts=(audio,), duration_ms=5), identity)
    lone.until(lambda: lone.step(job).state == "done")
    return job


def on(lone: LoneCoordinator, node: PlayedNode, name: str) -> Member:
    return lone.members[f"{name}@{node.name}"]


def test_a_step_goes_to_the_node_where_its_model_is_loaded(lone: LoneCoordinator) -> None:
    with PlayedNode(lone, "cold") as cold, PlayedNode(lone, "warm") as warm:
        for played in (cold, warm):
            played.set(models=("whisper-tiny.en",), locks={"whisperx": cold.facts.locks["whisperx"]})
        first, second = cold.worker("whisperx", 1), warm.worker("whisperx", 1)
        lone.until(lambda: all(found.models for found in lone.coordinator.nodes.present.values()))
        loaded = LoadedModel(key="whisper:whisper-tiny.en@cpu/int8", loads=1, load_ms=1)
        on(lone, warm, second.name).models = (loaded,)
        job = demuxed(lone)
        step = lone.until(lambda: (found := lone.step(job, "asr")).state == "running" and found)
        assert step.worker == f"{second.name}@warm", first.name


def test_a_model_that_a_node_lacks_is_offered_to_it_and_the_step_waits_for_it(lone: LoneCoordinator) -> None:
    with PlayedNode(lone) as played:
        lone.coordinator.nodes.present["box"].fetches = True
        played.set(models=("another",))
        worker = played.worker("whisperx")
        job = demuxed(lone)
        lone.until(lambda: played.files.models)
        assert played.files.models == ["whisper-tiny.en"]
        assert lone.step(job, "asr").state == "ready"
        played.set(models=("whisper-tiny.en",))
        called(lone, worker)


def test_plans_know_what_only_a_node_has_and_forget_it_with_the_node(lone: LoneCoordinator) -> None:
    state = lone.store.path.parent
    with PlayedNode(lone) as played:
        played.set(models=("whisper-large",))
        lone.until(lambda: read_elsewhere(state).models)
        assert "common" in read_elsewhere(state).built
        played.cut()
        lone.coordinator.nodes.present["box"].heard_s -= NODE_SILENT_AFTER_S
        lone.until(lambda: not lone.coordinator.nodes.present)
        lone.until(lambda: read_elsewhere(state) == Elsewhere())
        played.connect()
