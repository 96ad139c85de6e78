from __future__ import annotations

import contextlib
import io
import json

import pytest

from clients.cli.house.service import install_service, remove_service, service_here, show_service
from clients.desk import Desk
from clients.screen.report import Report
from clients.service.managers import Launchd, Ran, Systemd
from clients.service.units import Service
from protocol.errors import NotRunningError, UsageError
from protocol.messages import Problem
from protocol.supervisor import SupervisorReport


class FakeSystemctl:
    """Answers as systemctl and launchctl do, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.active = False
        self.broken = False

    def __call__(self, words):
        self.asked.append(" ".join(words))
        verb = words[1] if words[0] == "launchctl" else words[2]
        if verb in ("is-active", "print"):
            state = "active" if self.active else "inactive"
            return Ran(0 if self.active else 3, f"\tstate = {state}" if verb == "print" else state)
        if self.broken and verb in ("start", "restart", "bootstrap"):
            return Ran(1, "Job for cpw.service failed.\nSee the journal.")
        if verb in ("start", "restart", "bootstrap"):
            self.active = True
        if verb in ("disable", "bootout"):
            self.active = False
        return Ran(0, "")


@pytest.fixture
def told():
    return FakeSystemctl()


@pytest.fixture(params=["systemd", "launchd"])
def manager(request, told, tmp_path):
    if request.param == "systemd":
        return Systemd(told, tmp_path / ".config", "asha")
    return Launchd(told, tmp_path / "Library", 501)


@pytest.fixture
def said():
    return io.StringIO()


@pytest.fixture
def desk(tmp_path, said, monkeypatch):
    monkeypatch.setattr("clients.cli.house.service.check_built", lambda home: None)
    monkeypatch.setattr("clients.cli.house.service.running_supervisor", lambda desk: None)
    monkeypatch.setattr("clients.cli.house.service.why_outdated", lambda desk: None)
    home = tmp_path / "checkout"
    home.mkdir()
    (home / "supervisor.py").touch()
    return Desk(
        home=home, runtime=tmp_path, out=tmp_path, report=Report(said, said),
        connect=lambda _: contextlib.nullcontext(None),
    )  # fmt: skip


def service_of(desk: Desk, **settings: str) -> Service:
    return Service(checkout=desk.home, python=desk.home / "python", settings=settings)


def test_a_service_is_installed_once_however_often_it_is_asked_for(desk, manager, told, said):
    assert install_service(desk, manager, service_of(desk, CPW_CORES="2")) == 0
    assert manager.checkout(manager.file.read_text()) == desk.home
    assert f"written: {manager.file}\nsettings in it: CPW_CORES\n" in said.getvalue()
    asked = len(told.asked)
    assert install_service(desk, manager, service_of(desk, CPW_CORES="2")) == 0
    assert [words for words in told.asked[asked:] if "is-active" not in words and "print" not in words] == []
    assert install_service(desk, manager, service_of(desk, CPW_CORES="3")) == 0
    assert "CPW_CORES" in manager.file.read_text()
    assert any("restart" in words or "bootout" in words for words in told.asked[asked:])


def test_after_the_code_has_changed_an_installation_starts_it_anew(desk, manager, told, monkeypatch):
    install_service(desk, manager, service_of(desk))
    asked = len(told.asked)
    outdated = Problem(sentence="The code has changed.", remedy="make build && cpw service install")
    monkeypatch.setattr("clients.cli.house.service.why_outdated", lambda desk: outdated)
    install_service(desk, manager, service_of(desk))
    assert any("restart" in words or "bootout" in words for words in told.asked[asked:])


def test_systemd_is_asked_by_lists_of_words(desk, told, tmp_path):
    manager = Systemd(told, tmp_path, "asha")
    install_service(desk, manager, service_of(desk))
    assert [words for words in told.asked if "is-active" not in words] == [
        "systemctl --user daemon-reload",
        "systemctl --user reset-failed cpw.service",
        "systemctl --user enable cpw.service",
        "systemctl --user start cpw.service",
    ]


def test_starting_at_boot_is_explained(desk, told, tmp_path, said):
    install_service(desk, Systemd(told, tmp_path, "asha"), service_of(desk))
    assert said.getvalue().endswith(
        "it starts when you log in; to start it at boot:\n  loginctl enable-linger asha\n"
    )


def test_a_house_that_was_started_by_hand_is_not_taken_over(desk, manager, monkeypatch):
    monkeypatch.setattr(
        "clients.cli.house.service.running_supervisor", lambda desk: SupervisorReport(pid=4711, started=0.0)
    )
    with pytest.raises(UsageError, match="started by hand: the supervisor is process 4711") as caught:
        install_service(desk, manager, service_of(desk))
    assert caught.value.remedy.startswith("cpw down")
    assert not manager.file.exists()


def test_the_service_of_another_checkout_stays_unless_that_is_gone(desk, manager, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "supervisor.py").touch()
    manager.file.parent.mkdir(parents=True)
    manager.file.write_text(manager.text(Service(checkout=other, python=other / "python", settings={})))
    with pytest.raises(UsageError, match="another checkout"):
        install_service(desk, manager, service_of(desk))
    (other / "supervisor.py").unlink()
    assert install_service(desk, manager, service_of(desk)) == 0


def test_what_somebody_else_wrote_is_neither_replaced_nor_removed(desk, manager):
    manager.file.parent.mkdir(parents=True)
    manager.file.write_text("[Unit]\n")
    with pytest.raises(UsageError, match="somebody else"):
        install_service(desk, manager, service_of(desk))
    with pytest.raises(UsageError, match="somebody else"):
        remove_service(desk, manager)
    assert manager.file.read_text() == "[Unit]\n"


def test_a_start_that_fails_is_said_and_can_be_tried_again(desk, manager, told):
    told.broken = True
    with pytest.raises(NotRunningError, match=r"Job for cpw\.service failed") as caught:
        install_service(desk, manager, service_of(desk))
    assert "cpw logs supervisor" in caught.value.remedy
    told.broken = False
    assert install_service(desk, manager, service_of(desk)) == 0


def test_a_service_is_removed_once_however_often_it_is_asked_for(desk, manager, told, said):
    install_service(desk, manager, service_of(desk))
    assert remove_service(desk, manager) == 0
    assert not manager.file.exists()
    assert not told.active
    assert remove_service(desk, manager) == 0
    assert said.getvalue().endswith("not installed\n")


def standing(desk, manager, said):
    said.seek(0)
    said.truncate()
    code = show_service(desk, manager, as_json=True)
    return int(code), json.loads(said.getvalue())


def test_the_state_says_whether_it_is_installed_runs_and_fits(desk, manager, told, said, monkeypatch):
    for name in ("CPW_STATE", "CPW_OUT"):
        monkeypatch.delenv(name, raising=False)
    code, found = standing(desk, manager, said)
    assert (code, found["installed"], found["good"]) == (4, False, False)

    install_service(desk, manager, service_here(desk))
    monkeypatch.setenv("CPW_CORES", "7")  # another shell: it still is this checkout's service
    code, found = standing(desk, manager, said)
    assert (code, found["good"], found["checkout"]) == (0, True, str(desk.home))

    told.active = False
    code, found = standing(desk, manager, said)
    assert (code, found["problem"]) == (4, "It does not run.")

    manager.file.write_text(manager.text(service_of(desk)))
    assert standing(desk, manager, said)[1]["problem"] == "An earlier version wrote it."

    gone = desk.home.with_name("before")
    manager.file.write_text(manager.text(Service(checkout=gone, python=gone / "python", settings={})))
    code, found = standing(desk, manager, said)
    assert (code, found["problem"]) == (4, "Its checkout is gone; was it moved to here?")
    assert found["remedy"] == "cpw service install"


def test_paths_are_carried_in_whole_and_what_the_program_sets_itself_is_not(desk, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CPW_OUT", "films")
    monkeypatch.setenv("CPW_COOKIE", "x")
    monkeypatch.setenv("CT2_FORCE_CPU_ISA", "GENERIC")
    monkeypatch.setenv("HF_TOKEN", "hf_secretsecret")
    settings = service_here(desk).settings
    assert settings["CPW_OUT"] == str(tmp_path / "films")
    assert settings["CT2_FORCE_CPU_ISA"] == "GENERIC"
    assert not {"CPW_COOKIE", "HF_TOKEN"} & settings.keys()
