"""A node's files against a whole house: its coordinator says which attempts run, its server gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.files.node_files import NodeFiles
from envspecs.cluster.door_key import make_door_key
from protocol.artefacts import describe_file
from protocol.cluster.messages import Door
from protocol.messages import CallIdentity, StepReport
from protocol.schema import to_plain
from tests.cluster_calls import call_of, made_by
from tests.house import until
from tests.http_house import HttpHouse

pytestmark = pytest.mark.integration


@pytest.fixture
def head(tmp_path: Path) -> Iterator[HttpHouse]:
    with HttpHouse.started(tmp_path) as started:
        yield started


@pytest.fixture
def node(head: HttpHouse, tmp_path: Path) -> NodeFiles:
    made = NodeFiles("big-box", tmp_path / "node", tmp_path / "node-models", {}, 10**9, 0)
    key = make_door_key(head.house.home / "state")
    made.use_door(Door(url=head.address, key=key), ())
    return made


def test_a_node_takes_part_in_an_attempt_while_it_runs_and_not_after(
    head: HttpHouse, node: NodeFiles, tmp_path: Path
) -> None:
    house, release = head.house, tmp_path / "release"
    parameters = {"asr": {"initial_prompt": f"until:{release}"}}
    job = house.submit(b"sound " * 200_000, workflow="transcribe", parameters=parameters)

    def running() -> StepReport | None:
        return next((step for step in house.job(job).steps if step.name == "asr" and step.fraction > 0), None)

    step = until(running, what="the film is recognised")
    folder = Path(house.job(job).directory)
    audio = describe_file(folder / "01_demux" / "audio.wav", "01_demux/audio.wav")
    identity = CallIdentity(job=job, step="asr", attempt=step.attempt, run="1")
    call = node.prepare(identity, call_of("asr", {"audio": to_plain(audio)}, attempt=step.attempt))
    assert (Path(call.job_directory) / audio.path).read_bytes() == (folder / audio.path).read_bytes()

    made = made_by(call, notes_json=b"{}")
    node.publish(identity, call, made)
    assert (folder / call.scratch / "notes.json").read_bytes() == b"{}"

    release.touch()
    assert house.ended(job).state == "done"
    assert node.publish(identity, call, made) == made
    assert not (folder / call.scratch).exists()


def test_a_node_has_its_own_key_and_a_person_another(
    head: HttpHouse, node: NodeFiles, tmp_path: Path
) -> None:
    key = {"Authorization": f"Bearer {make_door_key(head.house.home / 'state')}"}
    assert head.ask("GET", "/api/cluster/models").status == 401
    assert head.ask("GET", "/api/cluster/models", headers=key, let_in=False).status == 200
    assert head.ask("GET", "/api/jobs", headers=key, let_in=False).status == 401
    node.fetch_model("whisper-base")
    assert (tmp_path / "node-models" / "whisper-base" / "manifest.json").exists()
    assert key["Authorization"][7:] not in (head.house.home / "logs" / "http.log").read_text()
