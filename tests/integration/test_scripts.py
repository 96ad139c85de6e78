"""A script by choice in whole jobs: real processes and sockets, fakes of the engines that need models."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocol.errors import MissingError
from tests.house import COMMON_STAGES, REAL_COMMON_STAGES, House

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ENGINES = {**COMMON_STAGES, "subtitle": REAL_COMMON_STAGES["subtitle"]}


def test_a_film_is_written_in_another_script_without_a_translation(tmp_path: Path) -> None:
    with House(tmp_path, common=ENGINES) as house:
        house.start()
        asked = {"workflow": "translate", "source_language": "sr", "target_languages": ("sr-Cyrl",)}
        job = house.ended(house.submit(**asked))
        assert job.state == "done"
        assert [step.name for step in job.steps if step.stage in ("translate", "subtitle")] == [
            "subtitle-sr-Cyrl"
        ]
        (srt,) = (Path(output) for output in job.outputs if output.endswith(".srt"))
        assert srt.name.endswith(".sr-Cyrl.srt")
        # What the fake hears is "hello world"; Serbian has no w.
        assert "\u0445\u0435\u043b\u043b\u043e world" in srt.read_text()
        with pytest.raises(MissingError, match="into Serbian") as refused:
            house.submit(**asked | {"source_language": None})
        assert refused.value.remedy == "If the film is in Serbian, say so: -s sr"
