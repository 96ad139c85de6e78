from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from clients import desk as clients_desk
from protocol.errors import NotRunningError, UsageError
from protocol.messages import HealthQuery


class Answering:
    def ask(self, message, *, timeout_ms=None):
        return message, timeout_ms


def test_the_out_folder_follows_its_variable(monkeypatch, tmp_path):
    monkeypatch.delenv("CPW_OUT", raising=False)
    assert clients_desk.out_directory(tmp_path) == tmp_path / "out"
    monkeypatch.setenv("CPW_OUT", str(tmp_path / "elsewhere"))
    assert clients_desk.out_directory(tmp_path) == tmp_path / "elsewhere"


def test_the_desk_has_absolute_paths_whatever_was_said(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CPW_RUNTIME", "rt")
    monkeypatch.setenv("CPW_OUT", "out")
    desk = clients_desk.desk_here()
    assert desk.runtime == tmp_path / "rt"
    assert desk.out == tmp_path / "out"


def test_without_a_socket_nobody_is_waited_for(tmp_path):
    with clients_desk.CheckedClient(pytest.fail, tmp_path / "c") as asker, pytest.raises(NotRunningError):
        asker.ask(HealthQuery())


def test_with_a_socket_the_question_is_passed_on(tmp_path):
    socket = tmp_path / "c"
    socket.touch()
    opened = []

    def open_client():
        opened.append(socket)
        return contextlib.nullcontext(Answering())

    with clients_desk.CheckedClient(open_client, socket) as asker:
        assert opened == []
        for _ in range(2):
            assert asker.ask(HealthQuery(), timeout_ms=5) == (HealthQuery(), 5)
    assert opened == [socket]


def test_a_runtime_directory_that_others_may_enter_is_not_used(tmp_path):
    runtime = Path(tmp_path / "rt")
    runtime.mkdir(mode=0o755)
    with pytest.raises(UsageError, match="open to others"):
        clients_desk.connect(runtime)
