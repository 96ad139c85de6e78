"""A Ctrl-C at any moment of a command, from its first line to its last, is one line and exit code 130."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from envspecs.builds.launchers import launcher
from tests.house import ROOT

pytestmark = pytest.mark.integration

_MOMENTS = 12


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """Return `cpw --help`, which imports and writes, as the script that a build holds runs it."""
    script = tmp_path / "cpw"
    script.write_text(launcher(Path(sys.executable), "clients.cli.entry:main"))
    return [sys.executable, "-S", str(script), "--help"]


@pytest.mark.alone
def test_a_ctrl_c_at_any_moment_leaves_no_traceback(command: list[str]) -> None:
    begun = time.monotonic()
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    whole_s = time.monotonic() - begun
    ends = [_interrupted_after(command, whole_s * moment / _MOMENTS) for moment in range(_MOMENTS)]
    assert [said for _, said in ends if said not in ("", "interrupted")] == []
    # Before Python has a word to say, the signal itself ends it; after the last line, it is done.
    assert {code for code, _ in ends} <= {130, -signal.SIGINT, 0}
    assert all(said for code, said in ends if code == 130)
    assert 130 in {code for code, _ in ends}


def _interrupted_after(command: list[str], seconds: float) -> tuple[int, str]:
    """Return the exit code and what it says on stderr."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        _, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    return process.returncode, said.strip()


def test_the_script_runs_where_a_path_has_a_space_and_passes_words_on(tmp_path: Path) -> None:
    folder = tmp_path / "a folder's name"
    folder.mkdir()
    (folder / "python").symlink_to(sys.executable)
    script = folder / "cpw"
    script.write_text(launcher(folder / "python", "said:now"))
    script.chmod(0o755)
    (folder / "said.py").write_text("import sys\n\ndef now(): print(sys.argv[1:])\n")
    done = subprocess.run([script, "two words", "$HOME"], check=True, capture_output=True, text=True)
    assert done.stdout == "['two words', '$HOME']\n"
