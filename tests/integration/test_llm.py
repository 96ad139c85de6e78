"""A language model in whole jobs: real processes and sockets, and an endpoint that is played."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import House, until
from tests.llm.chat_server import ChatServer, Visit, answer_of
from tests.llm.engines import LINES

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SPEECH = {
    "asr": "FakeAsr",
    "align": "tests.llm.engines:AlignsTwelve",
    "translate": "workers.engines.llm.translate:ChatTranslate",
}
# The model of a house without others is Whisper: it knows English alone as a target.
ASKED = {"workflow": "translate", "source_language": "de", "target_languages": ("en",)}
SCENES_OF_FOUR = {"translate": {"batch_size": 4}}
KEY = "sk-very-secret-of-this-test"


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as found:
        yield found


def worker_of(house: House) -> int:
    """Return the process id of the worker that translates."""
    report = until(house.health)
    return next(
        found.pid
        for found in report.environments
        if found.environment == "whisperx" and found.pid is not None
    )


def test_a_killed_worker_pays_for_one_scene_again_and_writes_the_key_nowhere(
    tmp_path: Path, server: ChatServer
) -> None:
    file = tmp_path / "key"
    file.write_text(KEY)
    file.chmod(0o600)
    with House(tmp_path, speech=SPEECH, CPW_LLM=server.url, CPW_LLM_KEY_FILE=str(file)) as house:

        def kill_in_the_third(visit: Visit, number: int) -> None:
            if number == 3:
                os.kill(worker_of(house), signal.SIGKILL)
                visit.wait_for_the_end()
            else:
                visit.say(answer_of(visit.body))

        server.behaviour = kill_in_the_third
        house.start()
        job = house.ended(house.submit(**ASKED, parameters=SCENES_OF_FOUR, debug=True))
        folder = Path(job.directory)
        assert job.state == "done", job
        questions = [json.dumps(body["messages"]) for body in server.asked]
        assert (len(questions), len(set(questions))) == (5, 4), "one of four scenes was asked for twice"
        assert questions[2] == questions[3]
        (step,) = (step for step in job.steps if step.stage == "translate")
        assert step.attempt == 2
        made = json.loads(next(folder.glob("10_translate/transcript.en.json")).read_text())
        assert len(made["segments"]) == len(LINES)
        assert all(segment["text"] and not segment["marks"] for segment in made["segments"])
        assert any("4 questions" in note for note in job.notes), job.notes
        until(lambda: not (folder / ".scratch").exists(), what="nothing is kept of a job that is done")
    assert {headers["authorization"] for _, headers in server.seen} == {f"Bearer {KEY}"}
    file.unlink()
    written = [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()]
    assert [path for path in written if KEY.encode() in path.read_bytes()] == [], "the key is in no file"


def test_without_an_address_the_job_says_what_to_set(tmp_path: Path) -> None:
    with House(tmp_path, speech=SPEECH) as house:
        house.start()
        job = house.ended(house.submit(**ASKED))
    assert job.state == "failed"
    (step,) = (step for step in job.steps if step.stage == "translate")
    assert step.error
    assert "CPW_LLM is not set" in step.error.message
    assert "export CPW_LLM=http://127.0.0.1:11434/v1" in step.error.remedy
