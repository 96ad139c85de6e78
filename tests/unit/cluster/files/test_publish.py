"""What a call has made on a node is on the head, in the scratch folder of its attempt and nowhere else."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.files.node_files import NodeFiles
from coordinator.store.job_folder import accept
from protocol.artefacts import Artefact
from protocol.errors import DiskFullError, TransientError
from protocol.messages import Call
from protocol.schema import to_plain
from tests.cluster_calls import call_of, identity_of, made_by
from tests.cluster_head import PlayedHead
from tests.unit.cluster.files.conftest import MakeNode

ASR = identity_of("asr")
LARGE = os.urandom(2_500_000)


@pytest.fixture
def job_folder(head: PlayedHead) -> Path:
    return head.add_job(asr=1, align=1)


@pytest.fixture
def call(job_folder: Path, node: NodeFiles) -> Call:
    return node.prepare(ASR, call_of("asr", {"model": "whisper-base"}))


def test_the_coordinator_accepts_what_came_as_if_its_own_worker_had_left_it(
    node: NodeFiles, call: Call, job_folder: Path
) -> None:
    made = made_by(call, a_json=b"{}", sound_wav=LARGE, empty_srt=b"")
    result = node.publish(ASR, call, made)
    assert result == made
    accept(job_folder, call.scratch, call.folder, result.artefacts)
    found = {path.name: path.read_bytes() for path in (job_folder / "06_asr").iterdir()}
    assert found == {"a.json": b"{}", "sound.wav": LARGE, "empty.srt": b""}
    assert not (job_folder / call.scratch).exists()


def test_the_next_call_on_this_node_fetches_nothing_of_it(
    head: PlayedHead, node: NodeFiles, call: Call
) -> None:
    result = node.publish(ASR, call, made_by(call, a_json=b"{}", sound_wav=LARGE))
    node.forget(ASR)
    following = call_of("align", {"files": to_plain(result.artefacts)})
    found = node.prepare(identity_of("align"), following)
    assert (Path(found.job_directory) / "06_asr" / "sound.wav").read_bytes() == LARGE
    assert head.gets("sound.wav") == []


def test_a_result_is_published_by_the_next_process_of_the_relay_too(
    make_node: MakeNode, call: Call, job_folder: Path
) -> None:
    made = made_by(call, a_json=b"{}")
    make_node().publish(ASR, None, made)
    assert (job_folder / call.scratch / "a.json").read_bytes() == b"{}"


def test_publishing_twice_is_harmless(node: NodeFiles, call: Call, job_folder: Path) -> None:
    made = made_by(call, a_json=b"{}")
    node.publish(ASR, call, made)
    node.publish(ASR, call, made)
    assert [path.name for path in (job_folder / call.scratch).iterdir()] == ["a.json"]


def test_what_an_attempt_made_that_does_not_run_any_more_is_not_taken(
    head: PlayedHead, node: NodeFiles, call: Call, job_folder: Path
) -> None:
    made = made_by(call, a_json=LARGE)
    head.add_job(asr=2)
    assert node.publish(ASR, call, made) == made
    head.jobs.clear()
    assert node.publish(ASR, call, made) == made
    assert not (job_folder / ".scratch").exists()


def test_a_file_that_changed_after_it_was_hashed_fails_the_attempt(
    node: NodeFiles, call: Call, job_folder: Path
) -> None:
    made = made_by(call, a_json=b"{}")
    (Path(call.job_directory) / call.scratch / "a.json").write_bytes(b"[]")
    with pytest.raises(TransientError, match=r"06_asr/a\.json of the node big-box reached the head spoilt"):
        node.publish(ASR, call, made)
    assert list((job_folder / ".scratch").rglob("*.*")) == []


def test_a_file_that_is_gone_fails_the_attempt(node: NodeFiles, call: Call) -> None:
    made = made_by(call, a_json=b"{}")
    (Path(call.job_directory) / call.scratch / "a.json").unlink()
    with pytest.raises(TransientError, match="is gone"):
        node.publish(ASR, call, made)


@pytest.mark.parametrize("path", ["01_demux/audio.wav", "06_asr/../../x", "/etc/passwd", "06_asr"])
def test_a_path_outside_the_stages_folder_is_sent_nowhere(
    head: PlayedHead, node: NodeFiles, call: Call, path: str
) -> None:
    result = replace(made_by(call, a_json=b"{}"), artefacts=(Artefact(path=path, size=1, sha256="0" * 64),))
    assert node.publish(ASR, call, result) == result
    assert [asked for asked in head.asked if "/files/" in asked[1]] == []


def test_a_steps_log_is_added_to_the_jobs_once_and_each_attempts(
    head: PlayedHead, node: NodeFiles, call: Call, job_folder: Path
) -> None:
    texts = {}
    for attempt in (1, 2):
        head.add_job(asr=attempt)
        identity = identity_of("asr", attempt)
        found = node.prepare(identity, call_of("asr", {}, attempt=attempt))
        log = Path(found.job_directory) / "logs" / "asr.log"
        log.parent.mkdir(exist_ok=True)
        texts[attempt] = f"2026-01-01 whisperx job-1/asr#{attempt} | it begins\n"
        log.write_text(texts[attempt])
        # A failure's log is sent so, a result's with its files; and again where the answer was lost.
        node.send_log(identity)
        node.publish(identity, found, made_by(found, a_json=b"{}"))
    assert (job_folder / "logs" / "asr.log").read_text() == texts[1] + texts[2]


@pytest.fixture
def full_disk(job_folder: Path) -> Iterator[Path]:
    """Have the job on a disk of the head that has little room."""
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(job_folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield job_folder
    subprocess.run(["umount", "-l", str(job_folder)], check=True)


def test_a_full_disk_of_the_head_holds_the_job_and_nothing_of_the_file_travels(
    full_disk: Path, node: NodeFiles
) -> None:
    call = node.prepare(ASR, call_of("asr", {}))
    with pytest.raises(DiskFullError, match=r"The upload takes 2 MB, \d+ MB of the disk are free"):
        node.publish(ASR, call, made_by(call, sound_wav=LARGE))
    assert list(full_disk.rglob("*.*")) == [full_disk / ".scratch"]
