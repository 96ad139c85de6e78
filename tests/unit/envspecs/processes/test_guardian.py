"""What the guardian writes down, and that it ends its command with its lifeline."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from envspecs.processes.guardian import LineLog, mask
from protocol.marks import Mark, render_mark
from tests.house import until


def test_lines_between_marks_go_to_the_jobs_log_too(tmp_path: Path) -> None:
    log = LineLog(tmp_path / "x.log", "x", "n")
    step = tmp_path / "job" / "logs" / "asr.log"
    log.feed(b"before\n" + render_mark(Mark(job="j", step="asr", attempt=1, log=str(step)), "n"))
    log.feed(b"one\ntw")
    log.feed(b"o\r\nbar 10%\rbar 20%\n" + render_mark(Mark(), "n") + b"after\n")
    log.close()

    in_step = [line.partition(" | ")[2] for line in step.read_text().splitlines()]
    assert in_step == ["one", "two", "bar 20%"]
    everything = [line.partition(" | ")[2] for line in (tmp_path / "x.log").read_text().splitlines()]
    assert everything == ["before", "one", "two", "bar 20%", "after"]


def test_a_flood_without_a_line_end_is_cut_into_lines(tmp_path: Path) -> None:
    log = LineLog(tmp_path / "x.log", "x", "n")
    for _ in range(10):
        log.feed(b"a" * 10_000)
    log.close()
    assert max(len(line) for line in (tmp_path / "x.log").read_text().splitlines()) < 5_000


def test_secrets_are_masked() -> None:
    assert mask("using hf_abcdefghijklmnop now") == "using *** now"
    assert mask("GET /x?token=abcdef1234&y=1") == "GET /x?token=***&y=1"
    assert mask("Authorization: Bearer abcdefgh") == "Authorization: Bearer ***"
    assert mask("the token is here") == "the token is here"


def _guard(tmp_path: Path, *command: str, session: bool = False) -> tuple[subprocess.Popen[bytes], int]:
    read_end, write_end = os.pipe()
    arguments = ["-m", "envspecs.processes.guardian", "--name", "x", "--log", str(tmp_path / "x.log")]
    arguments += ["--lifeline", str(read_end)]
    arguments += [*(["--session"] if session else []), "--", *command]
    process = subprocess.Popen([sys.executable, *arguments], pass_fds=[read_end], start_new_session=True)
    os.close(read_end)
    return process, write_end


def test_the_exit_code_is_passed_on(tmp_path: Path) -> None:
    process, _ = _guard(tmp_path, sys.executable, "-c", "print('out'); raise SystemExit(78)")
    assert process.wait(timeout=10) == 78
    assert "out" in (tmp_path / "x.log").read_text()


def test_a_signal_death_is_passed_on(tmp_path: Path) -> None:
    process, _ = _guard(tmp_path, sys.executable, "-c", "import os; os.kill(os.getpid(), 11)")
    assert process.wait(timeout=10) == -signal.SIGSEGV


def test_the_end_of_the_lifeline_ends_the_command(tmp_path: Path) -> None:
    process, lifeline = _guard(tmp_path, sys.executable, "-c", "import signal; signal.pause()")
    os.close(lifeline)
    assert process.wait(timeout=10) == -signal.SIGKILL


def test_a_command_is_seen_to_end_though_its_child_holds_the_output(tmp_path: Path) -> None:
    code = "import subprocess, sys; subprocess.Popen(['sleep', '60']); sys.exit(5)"
    process, lifeline = _guard(tmp_path, sys.executable, "-c", code)
    assert process.wait(timeout=10) == 5
    os.killpg(process.pid, signal.SIGKILL)
    os.close(lifeline)


def test_output_cannot_move_the_readers_cursor(tmp_path: Path) -> None:
    log = LineLog(tmp_path / "x.log", "x", "")
    log.feed("a\x1b[2Jb\x07c\u2028d नमस्ते\n".encode())
    log.close()
    assert (tmp_path / "x.log").read_text(encoding="utf-8").endswith("| a b c d नमस्ते\n")


def test_a_process_in_a_group_of_its_own_is_ended_with_the_session(tmp_path: Path) -> None:
    apart = "import os, time; os.setpgid(0, 0); print('apart', os.getpid(), flush=True); time.sleep(60)"
    command = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {apart!r}])"
    process, lifeline = _guard(tmp_path, sys.executable, "-c", command, session=True)
    said = until(lambda: re.search(r"apart (\d+)", _log(tmp_path)), what="the process has begun")
    os.close(lifeline)
    assert process.wait(timeout=10) == -signal.SIGKILL
    until(lambda: not psutil.pid_exists(int(said[1])) or _is_zombie(int(said[1])), 5, "it has ended")


def _log(tmp_path: Path) -> str:
    file = tmp_path / "x.log"
    return file.read_text() if file.exists() else ""


def _is_zombie(pid: int) -> bool:
    return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
