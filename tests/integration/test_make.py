"""`make bench` measures everything, and shows it, before it fails."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house import ROOT

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed"),
]

BENCHES = [
    "rpc",
    "dispatch",
    "cluster",
    "warm",
    "film",
    "batch",
    "sizes",
    "subtitles",
    "sentences",
    "scripts",
    "languages",
    "idle",
    "beside",
    "cancel",
    "http",
    "separation",
    "speakers",
    "gpu",
    "glossary",
    "cluster_call",
]


def run_benches(folder: Path, *missing: str) -> tuple[list[str], int]:
    """Run `make bench` with a python that measures nothing, and fails for the benches in `missing`."""
    log = folder / "ran"
    log.touch()
    python = folder / "python"
    misses = "|".join(f"tests.bench.{name}" for name in missing) or "none"
    python.write_text(f'#!/bin/sh\necho "$2" >> "{log}"\ncase "$2" in {misses}) exit 1 ;; esac\n')
    python.chmod(0o755)
    command = ["make", "bench", f"DEV={folder}", "PYTHON=true"]
    # As from a shell: the make that runs the tests hands its options on otherwise.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    ended = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True)
    return [line.removeprefix("tests.bench.") for line in log.read_text().split()], ended.returncode


@pytest.mark.parametrize("missing", [("rpc",), ("dispatch", "subtitles")])
def test_a_bench_that_misses_its_limit_does_not_stop_the_others(
    tmp_path: Path, missing: tuple[str, ...]
) -> None:
    ran, code = run_benches(tmp_path, *missing)
    assert ran == [*BENCHES, "table"]
    assert code != 0


def test_benches_that_keep_their_limits_succeed(tmp_path: Path) -> None:
    assert run_benches(tmp_path) == ([*BENCHES, "table"], 0)
