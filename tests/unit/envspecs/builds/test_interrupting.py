"""Ctrl-C while a program of an environment works: it ends what it has started, and only then is it gone."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

from envspecs.builds import installed

_DEAF = """
import signal, subprocess, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
print("started", flush=True)
signal.pause()
"""


class Ending:
    """A program that ends itself after the person has pressed Ctrl-C some more times."""

    pid = -1

    def __init__(self, presses: int) -> None:
        self.presses = presses
        self.signals: list[int] = []

    def send_signal(self, number: int) -> None:
        self.signals.append(number)

    def wait(self, timeout: float) -> int:
        assert 0 <= timeout <= installed.INTERRUPT_GRACE_S
        self.presses -= 1
        if self.presses >= 0:
            raise KeyboardInterrupt
        return 130


def test_ctrl_c_pressed_again_takes_no_time_from_who_cleans_up(monkeypatch):
    killed: list[int] = []
    monkeypatch.setattr(installed.os, "killpg", lambda *sent: killed.append(sent))
    program = Ending(presses=3)
    installed.interrupt(program)
    assert program.signals == [signal.SIGINT]
    assert program.presses < 0, "it was waited for to the end"
    assert killed == []


def test_a_program_that_does_not_end_is_killed_with_what_it_started(monkeypatch):
    monkeypatch.setattr(installed, "INTERRUPT_GRACE_S", 0.05)
    command = [sys.executable, "-c", _DEAF]
    with subprocess.Popen(command, stdout=subprocess.PIPE, process_group=0) as process:
        assert process.stdout.readline() == b"started\n"
        installed.interrupt(process)
        assert process.wait(10) == -signal.SIGKILL
        # The pipe ends when the last one that holds it is gone.
        ended, _, _ = select.select([process.stdout], [], [], 10)
        if not ended:
            os.killpg(process.pid, signal.SIGKILL)
        assert ended
