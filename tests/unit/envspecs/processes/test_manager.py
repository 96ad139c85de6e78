from __future__ import annotations

import socket

import pytest

from envspecs.processes.manager import READY, tell_manager


@pytest.mark.parametrize("named", ["{tmp}/n", "@cpw-test-{tmp}"])
def test_the_service_manager_is_told(tmp_path, named, monkeypatch):
    monkeypatch.chdir(tmp_path)
    address = named.format(tmp="/tmp" if named.startswith("@") else tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + address[1:] if address.startswith("@") else address)
        manager.setblocking(False)
        tell_manager(READY, {"NOTIFY_SOCKET": address})
        assert manager.recv(100) == b"READY=1"


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}])
def test_without_a_manager_nothing_is_said(environ, caplog):
    tell_manager(READY, environ)
    assert caplog.records == []


def test_a_manager_that_is_gone_is_a_line_in_the_log(tmp_path, caplog):
    tell_manager(READY, {"NOTIFY_SOCKET": str(tmp_path / "gone")})
    assert "cannot be told READY=1" in caplog.text
