from __future__ import annotations

import signal
import sys

import pytest

from clients.cli import main
from clients.cli.entry import guarded


class Ended(BaseException):
    """The process would have ended."""


def end():
    raise Ended


@pytest.fixture(autouse=True)
def _as_before(monkeypatch):
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(sys, "unraisablehook", sys.__unraisablehook__)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt():
    signal.raise_signal(signal.SIGINT)


def test_a_commands_exit_code_is_passed_on_and_afterwards_a_ctrl_c_ends_at_once():
    assert guarded(lambda: 4, end) == 4
    with pytest.raises(Ended):
        interrupt()


def test_a_ctrl_c_that_the_command_does_not_treat_ends_the_process():
    with pytest.raises(Ended):
        guarded(interrupt, end)


def test_a_command_may_treat_a_ctrl_c_itself():
    def command():
        with pytest.raises(KeyboardInterrupt):
            interrupt()
        return 130

    assert guarded(command, end) == 130


def test_a_ctrl_c_that_a_shell_has_switched_off_stays_so():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert guarded(lambda: 0, end) == 0
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_a_ctrl_c_in_a_callback_is_not_lost():
    seen = []

    class Dying:
        def __del__(self):
            interrupt()

    def command():
        dying = Dying()
        del dying
        return 0

    guarded(command, lambda: seen.append("ended"))
    assert seen == ["ended"]


@pytest.mark.parametrize("name", ["main", "submit_main"])
def test_the_scripts_of_an_earlier_build_still_run(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["cpw", "--help"])
    with pytest.raises(SystemExit) as ended:
        getattr(main, name)()
    assert ended.value.code == 0
    assert "Usage: cpw" in capsys.readouterr().out
