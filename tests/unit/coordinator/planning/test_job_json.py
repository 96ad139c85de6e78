"""`job.json` follows routes that change, and only those."""

from __future__ import annotations

import json
from pathlib import Path

from coordinator.planning.job_json import renew
from coordinator.planning.planner import plan
from protocol.messages import Submit
from tests.plans import all_by

SUBMIT = Submit(media="/film.mkv", workflow="transcribe", user="u", out="/out")


def test_it_is_written_again_only_where_it_would_say_something_else(tmp_path: Path) -> None:
    path = tmp_path / "job.json"
    path.write_text(json.dumps({"version": 1, "title": "Film"}))
    renew(tmp_path, SUBMIT, None, plan(SUBMIT, all_by(lambda _: "common")).steps)
    first = path.stat().st_ino
    assert json.loads(path.read_text())["stage_environments"]["asr"] == "common"

    renew(tmp_path, SUBMIT, None, plan(SUBMIT, all_by(lambda _: "common")).steps)
    assert path.stat().st_ino == first

    renew(tmp_path, SUBMIT, None, plan(SUBMIT, all_by(lambda _: "whisperx")).steps)
    assert json.loads(path.read_text())["stage_environments"]["asr"] == "whisperx"
    assert json.loads(path.read_text())["title"] == "Film"
