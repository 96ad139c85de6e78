"""Whether a worker can be expected."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coordinator.health import check_worker
from coordinator.roster import Roster
from protocol.errors import NotRunningError


@pytest.mark.parametrize("children", [{"x": {"state": "not built"}}, {"another": {"state": "running"}}])
def test_an_environment_that_the_supervisor_does_not_start_is_refused(
    tmp_path: Path, children: dict[str, object]
) -> None:
    (tmp_path / "supervisor.json").write_text(json.dumps({"children": children}))
    with pytest.raises(NotRunningError, match="built after the start"):
        check_worker("x", tmp_path, Roster())
