from __future__ import annotations

import os

import pytest

from envspecs.builds import history
from envspecs.builds.build import build
from envspecs.builds.history import current_build, hold, is_held, previous_build, prove
from envspecs.builds.installed import MARKER, build_state, is_built
from envspecs.builds.upgrade import rollback, upgrade
from envspecs.key import read_lock
from envspecs.layout import builds_directory, lock_path, venv_path
from envspecs.spec import read
from protocol.errors import MissingError, UsageError


@pytest.fixture
def spec(home):
    return lambda: read("tiny", home.specs)


@pytest.fixture
def up(home, spec, report):
    def run(version):
        home.newest(f"pyzmq=={version}\n")
        return upgrade(spec(), report, home.root)

    return run


@pytest.fixture
def back(home, spec, report):
    return lambda: rollback(spec(), report, home.root)


def locked(home):
    return read_lock("tiny", home.root).splitlines()[-1]


def standing(home, spec):
    """What must be as it was where a change has failed."""
    return (
        current_build("tiny", home.root),
        previous_build("tiny", home.root),
        read_lock("tiny", home.root),
        (home.specs / "tiny.toml").read_text(),
        build_state(spec(), home.root),
    )


def test_an_upgrade_locks_anew_builds_beside_and_keeps_what_was(home, spec, up):
    first = up("27.0.0")
    second = up("27.1.0")
    assert second != first
    assert current_build("tiny", home.root) == second
    assert previous_build("tiny", home.root) == first
    assert locked(home) == "pyzmq==27.1.0"
    assert is_built(spec(), home.root)


def test_an_upgrade_that_finds_nothing_newer_builds_nothing(home, up, report):
    first = up("27.0.0")
    done = len(home.calls())
    assert up("27.0.0") == first
    assert len(home.calls()) == done + 1, "it only resolved"
    assert "tiny: its lock has the newest versions already." in report.lines


@pytest.mark.parametrize("how", ["resolve", "install", "probe"])
def test_an_upgrade_that_fails_changes_nothing(home, spec, up, monkeypatch, how):
    up("27.0.0")
    up("27.1.0")
    before = standing(home, spec)
    if how == "probe":
        (home.tools / "python-of-venv").write_text("#!/bin/sh\necho 'ImportError: no libfoo' >&2\nexit 1\n")
    elif how == "resolve":
        monkeypatch.setenv("FAKE_UV_FAILS", "No solution found")
    else:
        real = history.keep_sources

        def fail_from_now_on(*arguments):
            real(*arguments)
            monkeypatch.setenv("FAKE_UV_FAILS", "no wheel")

        monkeypatch.setattr(history, "keep_sources", fail_from_now_on)
    with pytest.raises(MissingError):
        up("27.2.0")
    assert standing(home, spec) == before
    assert len(history.folders_of("tiny", builds_directory(home.root))) == 2


def test_what_changed_is_said_package_by_package(home, up, report):
    up("27.0.0")
    script = home.tools / "python-of-venv"
    script.write_text(script.read_text().replace('"NumPy": "2.4.6"', '"NumPy": "2.5.0", "torch": "2.9.0"'))
    up("27.1.0")
    assert "tiny: numpy 2.4.6 -> 2.5.0" in report.lines
    assert "tiny: torch none -> 2.9.0" in report.lines
    assert not any("pyzmq 27" in line for line in report.lines)


def test_a_rollback_brings_build_and_lock_back_and_the_next_one_goes_forward(home, spec, up, back):
    first, second = up("27.0.0"), up("27.1.0")
    assert back() == first
    assert current_build("tiny", home.root) == first
    assert previous_build("tiny", home.root) == second
    assert locked(home) == "pyzmq==27.0.0"
    assert build_state(spec(), home.root) == "built"
    assert back() == second
    assert locked(home) == "pyzmq==27.1.0"
    assert build_state(spec(), home.root) == "built"


def test_a_rollback_builds_nothing_and_needs_no_network(home, up, back, monkeypatch):
    up("27.0.0")
    up("27.1.0")
    monkeypatch.setenv("FAKE_UV_FAILS", "error sending request")
    done = home.calls()
    back()
    assert home.calls() == done


def test_what_is_rolled_back_stays_so_when_it_is_built_again(home, spec, up, back, report):
    first = up("27.0.0")
    up("27.1.0")
    back()
    assert build(spec(), report, home.root) == first


def test_a_rollback_of_changed_requirements_brings_the_spec_back_and_forward_again(home, spec, report, back):
    first = build(spec(), report, home.root)
    old = (home.specs / "tiny.toml").read_text()
    new = old.replace("27", "26") + "[limits]\nstart_timeout_s = 7\n"
    home.spec("tiny", new)
    build(spec(), report, home.root)
    assert back() == first
    assert (home.specs / "tiny.toml").read_text() == old
    assert build_state(spec(), home.root) == "built"
    back()
    assert (home.specs / "tiny.toml").read_text() == new
    assert build_state(spec(), home.root) == "built"


def test_a_rollback_leaves_what_a_person_has_set_in_the_spec_since(home, spec, up, back):
    up("27.0.0")
    up("27.1.0")
    text = (home.specs / "tiny.toml").read_text() + "[limits]\nstart_timeout_s = 7\n"
    home.spec("tiny", text)
    back()
    assert (home.specs / "tiny.toml").read_text() == text
    assert build_state(spec(), home.root) == "built"


def test_unbuilt_requirements_survive_a_rollback(home, spec, report, up, back):
    up("27.0.0")
    second = up("27.1.0")
    edited = (home.specs / "tiny.toml").read_text().replace("27", "25")
    home.spec("tiny", edited)
    back()
    assert build_state(spec(), home.root) == "built"
    assert (home.specs / "tiny.toml.not-built").read_text() == edited
    assert any("never built; it is kept in" in line for line in report.lines)
    assert back() == second
    assert build_state(spec(), home.root) == "built"


def test_without_an_earlier_build_there_is_no_way_back(home, spec, up, back):
    with pytest.raises(MissingError, match="no earlier build of tiny"):
        back()
    up("27.0.0")
    with pytest.raises(MissingError, match="no earlier build of tiny"):
        back()


def test_an_earlier_build_that_no_longer_fits_is_refused_and_nothing_changes(home, spec, up, back):
    first = up("27.0.0")
    up("27.1.0")
    (first / history.LOCK_COPY).write_text("something else")
    before = standing(home, spec)
    with pytest.raises(UsageError, match="does not fit this checkout any more"):
        back()
    assert standing(home, spec) == before


@pytest.mark.parametrize("cut", ["lock", "link"])
def test_a_rollback_that_was_cut_short_is_ended_by_the_next_one(home, spec, up, back, monkeypatch, cut):
    first, second = up("27.0.0"), up("27.1.0")

    def die(*_):
        raise KeyboardInterrupt

    # After the lock is written, or after the link is set: what is killed there does nothing more.
    original = history.point
    done = []

    def point(link, folder):
        if cut == "lock" or done:
            die()
        done.append(link)
        original(link, folder)

    monkeypatch.setattr(history, "point", point)
    with pytest.raises(KeyboardInterrupt):
        back()
    monkeypatch.undo()
    monkeypatch.setenv("CPW_HOME", str(home.root))
    if cut == "lock":
        assert build_state(spec(), home.root) == "outdated"
        assert back() == first
        assert back() == second
        assert locked(home) == "pyzmq==27.1.0"
    else:
        assert current_build("tiny", home.root) == first
        assert build_state(spec(), home.root) == "built"


def test_the_last_build_that_proved_itself_is_kept_over_one_that_never_did_a_call(home, up, back):
    first = up("27.0.0")
    prove(first)
    up("27.1.0")
    third = up("27.2.0")
    assert previous_build("tiny", home.root) == first
    assert history.folders_of("tiny", builds_directory(home.root)) == sorted([first, third])
    assert back() == first


def test_of_builds_that_never_did_a_call_the_newest_is_kept(home, up):
    up("27.0.0")
    second = up("27.1.0")
    up("27.2.0")
    assert previous_build("tiny", home.root) == second


def test_a_build_in_which_a_worker_runs_is_not_removed(home, up):
    first = up("27.0.0")
    held = hold(first)
    assert held is not None
    assert is_held(first)
    up("27.1.0")
    up("27.2.0")
    assert first in history.folders_of("tiny", builds_directory(home.root))
    os.close(held)
    assert not is_held(first)
    up("27.3.0")
    assert first not in history.folders_of("tiny", builds_directory(home.root))


def test_building_again_on_purpose_takes_no_folder_that_is_in_use_or_kept(home, spec, report, up):
    first, second = up("27.0.0"), up("27.1.0")
    held = hold(second)
    again = build(spec(), report, home.root, again=True)
    assert again not in (first, second)
    os.close(held)
    once_more = build(spec(), report, home.root, again=True)
    assert once_more not in (again, second)
    assert (again / MARKER).is_file()


def test_a_build_of_an_older_kind_gets_its_copies_before_it_is_left(home, spec, report, up, back):
    first = build(spec(), report, home.root)
    for name in (history.LOCK_COPY, "cpw-spec.toml"):
        (first / name).unlink()
    up("27.1.0")
    assert back() == first
    assert not lock_path("tiny", home.root).exists(), "there was none then"
    assert venv_path("tiny", home.root).resolve() == first


OLDER = """
name = "tiny"
purpose = "For tests"
# So old that its packages were others.
python = ">=3.10"
requirements = [
    "pyzmq>=26",  # the one of then
]

[stages]
demux = { engine = "workers.engines.common.demux:FfmpegDemux" }
"""
NEWER = """
name = "tiny"
purpose = "For tests, now"
requirements = ["pyzmq>=27", "msgpack>=1.1"]

[stages]
demux = { engine = "workers.engines.common.film.demux:FfmpegDemux", name = "common.demux:FfmpegDemux" }

[computing]
devices = ["cuda", "cpu"]  # said since
"""


def test_a_rollback_keeps_the_engines_and_devices_of_this_checkout(home, spec, report, back):
    home.spec("tiny", OLDER)
    first = build(spec(), report, home.root)
    home.spec("tiny", NEWER)
    second = build(spec(), report, home.root)
    newer = spec()
    assert back() == first
    rolled = spec()
    assert (rolled.requirements, rolled.python) == (("pyzmq>=26",), ">=3.10")
    assert (rolled.stages, rolled.computing) == (newer.stages, newer.computing)
    text = (home.specs / "tiny.toml").read_text()
    assert "# the one of then" in text
    assert "# said since" in text
    assert build_state(rolled, home.root) == "built"
    assert build(rolled, report, home.root) == first
    assert back() == second
    assert (home.specs / "tiny.toml").read_text() == NEWER
    assert back() == first
    assert (home.specs / "tiny.toml").read_text() == text


def test_a_rollback_to_a_spec_that_is_not_read_any_more_takes_what_made_the_build(home, spec, report, back):
    first = build(spec(), report, home.root)
    old = (first / "cpw-spec.toml").read_text()
    (first / "cpw-spec.toml").write_text(f'{old}[stages]\nhear = {{ engine = "workers.engines.x:X" }}\n')
    home.spec("tiny", NEWER)
    build(spec(), report, home.root)
    assert back() == first
    assert spec().requirements == ("pyzmq>=27",)
    assert set(spec().stages) == {"demux"}


def test_a_build_whose_spec_cannot_be_joined_with_this_one_is_refused(home, spec, report, back):
    home.spec("tiny", OLDER)
    build(spec(), report, home.root)
    home.spec("tiny", NEWER.replace("requirements =", '"requirements" ='))
    build(spec(), report, home.root)
    before = standing(home, spec)
    with pytest.raises(UsageError, match="does not fit this checkout any more"):
        back()
    assert standing(home, spec) == before
