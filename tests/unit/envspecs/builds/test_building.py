from __future__ import annotations

import os
import threading

import pytest

from envspecs import choosing
from envspecs.builds import history as builder
from envspecs.builds import installed
from envspecs.builds.build import build
from envspecs.builds.guard import exclusive
from envspecs.builds.history import LOCK_COPY
from envspecs.builds.installed import MARKER, build_state, is_built, read_marker
from envspecs.builds.uv import Tools
from envspecs.layout import builds_directory, interpreter, venv_path
from envspecs.spec import read
from protocol.errors import DiskFullError, MissingError, TransientError, UsageError


@pytest.fixture
def spec(home):
    return lambda name="tiny": read(name, home.specs)


def change(home, before, after):
    home.spec("tiny", (home.specs / "tiny.toml").read_text().replace(before, after))


def folders(home):
    found = (path for path in builds_directory(home.root).iterdir() if not path.is_symlink())
    return sorted(folder.name for folder in found if folder.is_dir())


def test_a_build_is_linked_marked_and_found(home, spec, report):
    assert build_state(spec(), home.root) == "missing"
    folder = build(spec(), report, home.root)
    assert is_built(spec(), home.root)
    assert venv_path("tiny", home.root).resolve() == folder
    assert interpreter("tiny", home.root) == folder / "bin" / "python"
    assert read_marker(folder).versions == {"pyzmq": "27.0.0", "numpy": "2.4.6"}
    assert read_marker(folder).packages == {"numpy": "2.4.6", "pyzmq": "27.0.0"}
    assert any(line.startswith("tiny: installing its packages: ") for line in report.lines)


def test_the_lock_is_a_constraint_and_the_checkout_comes_without_its_requirements(home, spec, report):
    (home.locks / "tiny.txt").write_text("pyzmq==27.3.0\n")
    folder = build(spec(), report, home.root)
    _, packages, project = home.calls()
    assert packages.endswith(f"--constraint {folder / LOCK_COPY} -- pyzmq>=27")
    assert (folder / LOCK_COPY).read_text() == "pyzmq==27.3.0\n"
    assert project.endswith(f"--no-deps --reinstall-package cpw -e {home.root}")


@pytest.mark.parametrize(
    ("says", "packages"),
    [
        ("echo 'GPU 0: NVIDIA H100 (UUID: GPU-1)'", "pyzmq>=27 fast-on-gpus==1.0"),
        ("echo 'No devices were found'", "pyzmq>=27"),
        ("exit 9", "pyzmq>=27"),
    ],
)
def test_what_only_a_gpu_can_use_is_installed_where_there_is_one(
    home, spec, report, monkeypatch, says, packages
):
    asks = home.tools / "nvidia-smi"
    asks.write_text(f"#!/bin/sh\n{says}\n")
    asks.chmod(0o755)
    monkeypatch.setenv("PATH", f"{home.tools}:{os.environ['PATH']}")
    home.spec(
        "tiny", (home.specs / "tiny.toml").read_text() + 'nvidia_requirements = ["fast-on-gpus==1.0"]\n'
    )
    build(spec(), report, home.root)
    assert home.calls()[1].endswith(f"-- {packages}")
    assert is_built(spec(), home.root)


def test_what_is_up_to_date_is_not_built_again(home, spec, report):
    build(spec(), report, home.root)
    before = home.calls()
    build(spec(), report, home.root)
    assert home.calls() == before
    assert report.lines[-1] == "tiny: up to date."


def test_a_half_built_environment_is_rebuilt(home, spec, report):
    folder = build(spec(), report, home.root)
    (folder / MARKER).unlink()
    (folder / "half").touch()
    assert build_state(spec(), home.root) == "missing"
    assert build(spec(), report, home.root) == folder
    assert is_built(spec(), home.root)
    assert not (folder / "half").exists()
    assert f"tiny: a half-built {folder.name} is removed first." in report.lines


@pytest.mark.parametrize("damage", ["", "{}", "[", "null", '{"name": 1}'])
def test_a_marker_that_cannot_be_read_makes_a_half_built_environment(home, spec, report, damage):
    folder = build(spec(), report, home.root)
    (folder / MARKER).write_text(damage)
    assert not is_built(spec(), home.root)
    build(spec(), report, home.root)
    assert is_built(spec(), home.root)


def test_a_build_whose_python_is_gone_is_missing(home, spec, report):
    folder = build(spec(), report, home.root)
    (folder / "bin" / "python").unlink()
    assert build_state(spec(), home.root) == "missing"


def test_a_changed_spec_is_built_beside_the_old_build_whose_files_stay(home, spec, report):
    first = build(spec(), report, home.root)
    running = interpreter("tiny", home.root)
    change(home, "27", "26")
    assert build_state(spec(), home.root) == "outdated"
    second = build(spec(), report, home.root)
    assert second != first
    assert running.exists()
    assert is_built(spec(), home.root)


def test_one_previous_build_is_kept_and_no_older_one(home, spec, report):
    home.spec("tiny-more", 'name = "tiny-more"\npurpose = "p"\nrequirements = []\n')
    build(spec("tiny-more"), report, home.root)
    made = []
    for old, new in (("27", "27"), ("27", "26"), ("26", "25"), ("25", "24")):
        change(home, old, new)
        made.append(build(spec(), report, home.root).name)
    kept = folders(home)
    assert sorted(made[-2:]) == [folder for folder in kept if "more" not in folder]
    assert len(kept) == 3


def test_going_back_to_the_previous_spec_uses_its_build(home, spec, report):
    first = build(spec(), report, home.root)
    change(home, "27", "26")
    build(spec(), report, home.root)
    change(home, "26", "27")
    before = home.calls()
    assert build(spec(), report, home.root) == first
    assert home.calls() == before
    assert is_built(spec(), home.root)


def test_building_again_on_purpose_leaves_the_running_build_alone(home, spec, report):
    first = build(spec(), report, home.root)
    second = build(spec(), report, home.root, again=True)
    third = build(spec(), report, home.root, again=True)
    assert second == first.with_name(f"{first.name}-r2")
    assert third == first.with_name(f"{first.name}-r3"), "the first one is what a rollback goes to"
    assert second.is_dir()
    assert is_built(spec(), home.root)


def test_a_failed_build_leaves_the_old_one_in_use_and_nothing_behind(home, spec, report, monkeypatch):
    first = build(spec(), report, home.root)
    change(home, "27", "26")
    monkeypatch.setenv("FAKE_UV_FAILS", "No solution found: pyzmq 26 is not there")
    with pytest.raises(MissingError, match=r"tiny could not be built (?s:.*)No solution found") as failed:
        build(spec(), report, home.root)
    assert failed.value.remedy
    assert folders(home) == [first.name]
    assert venv_path("tiny", home.root).resolve() == first


@pytest.mark.parametrize(
    ("said", "error", "sentence"),
    [
        ("\x1b[31merror: error sending request for url", TransientError, "the network does not answer"),
        ("failed to write: No space left on device (os error 28)", DiskFullError, "no space is left"),
    ],
)
def test_a_lost_network_and_a_full_disk_are_said_in_a_sentence(
    home, spec, report, monkeypatch, said, error, sentence
):
    monkeypatch.setenv("FAKE_UV_FAILS", said)
    with pytest.raises(error, match=sentence) as failed:
        build(spec(), report, home.root)
    assert said.removeprefix("\x1b[31m") in failed.value.message
    assert "\x1b" not in failed.value.message


def test_an_interrupted_build_leaves_nothing_that_is_trusted(home, spec, report, monkeypatch):
    def interrupt(self, arguments, purpose):
        original(self, arguments, purpose)
        if arguments[0] == "pip":
            raise KeyboardInterrupt

    original = Tools.run
    monkeypatch.setattr(Tools, "run", interrupt)
    with pytest.raises(KeyboardInterrupt):
        build(spec(), report, home.root)
    assert folders(home) == []
    assert not venv_path("tiny", home.root).is_symlink()


def test_two_builds_at_once_wait_for_each_other_and_say_so(home, spec, report):
    waiting = threading.Event()
    report.on_line = lambda text: waiting.set() if "waiting" in text else None
    lock = builds_directory(home.root) / ".tiny.lock"
    second = threading.Thread(target=build, args=(spec(), report, home.root))
    with exclusive(lock, "it", report):
        second.start()
        assert waiting.wait(10)
        assert home.calls() == []
    second.join(10)
    assert is_built(spec(), home.root)
    assert "The environment tiny is being made by another process; waiting for it." in report.lines


def test_a_child_that_outlives_a_killed_builder_keeps_the_lock(home, spec, report):
    seen = []
    lock = builds_directory(home.root) / ".tiny.lock"
    with exclusive(lock, "it", report) as descriptor:
        kept_by_child = os.dup(descriptor)
    waiting = threading.Event()
    report.on_line = lambda text: waiting.set() if "waiting" in text else None

    def enter():
        with exclusive(lock, "it", report):
            seen.append("in")

    second = threading.Thread(target=enter)
    second.start()
    assert waiting.wait(10)
    assert seen == []
    os.close(kept_by_child)
    second.join(10)
    assert seen == ["in"]


def test_a_build_that_imports_another_checkout_is_refused(home, spec, report, tmp_path):
    home.python(imports=tmp_path / "elsewhere")
    with pytest.raises(MissingError, match=r"imports protocol from .*elsewhere"):
        build(spec(), report, home.root)
    assert not is_built(spec(), home.root)


def test_an_engine_that_cannot_be_imported_fails_the_build_with_its_words(home, spec, report):
    script = home.tools / "python-of-venv"
    script.write_text("#!/bin/sh\necho 'ImportError: no libfoo' >&2\nexit 1\n")
    with pytest.raises(MissingError, match="could not start in it:\nImportError: no libfoo"):
        build(spec(), report, home.root)


def test_a_new_package_list_links_the_checkout_anew_and_installs_nothing_else(home, spec, report):
    folder = build(spec(), report, home.root)
    done = len(home.calls())
    (home.root / "pyproject.toml").write_text('[project]\nname = "cpw"\nscripts = {a = "b:c"}\n')
    assert is_built(spec(), home.root)
    assert build(spec(), report, home.root) == folder
    assert len(home.calls()) == done + 1
    assert home.calls()[-1].endswith(f"-e {home.root}")


def test_a_folder_in_the_place_of_the_link_is_not_touched(home, spec, report):
    own = venv_path("tiny", home.root)
    own.mkdir(parents=True)
    with pytest.raises(UsageError, match="a link belongs there"):
        build(spec(), report, home.root)
    assert own.is_dir()


def test_an_environment_for_another_machine_or_python_is_refused(home, spec, report):
    text = (home.specs / "tiny.toml").read_text()
    home.spec("tiny", f'{text}\nplatform = {{ system = "Plan9" }}\n')
    with pytest.raises(UsageError, match="for Plan9 machines only"):
        build(spec(), report, home.root)
    home.spec("tiny", f'{text}\npython = ">=3.99"\n')
    with pytest.raises(UsageError, match=r"needs Python >=3\.99"):
        build(spec(), report, home.root)


def test_a_venv_folder_on_another_disk_is_followed(home, spec, report, tmp_path):
    (tmp_path / "disk").mkdir()
    (home.root / "venv").symlink_to(tmp_path / "disk")
    folder = build(spec(), report, home.root)
    assert is_built(spec(), home.root)
    assert build(spec(), report, home.root) == folder


def test_removing_old_builds_spares_what_is_not_a_build_of_that_name(tmp_path):
    for name in ("x-0123456789ab", "x-0123456789ab-r2", "x-y-0123456789ab", "x-notes"):
        (tmp_path / name).mkdir()
    builder.remove_old(tmp_path, "x", keep=set())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x-notes", "x-y-0123456789ab"]


def test_the_question_what_a_workflow_lacks_is_answered(home, spec, report):
    stages = '\n[stages]\nasr = { engine = "workers.engines.x:X" }\n'
    home.spec("tiny", (home.specs / "tiny.toml").read_text() + stages)
    better = 'name = "better"\npurpose = "p"\nrequirements = []\noptional = true\n'
    home.spec("better", better + stages)
    assert choosing.environment_for("asr", home.root).name == "tiny"
    assert [environment.name for environment in choosing.missing_for(["asr"], home.root)] == ["tiny"]
    build(spec("better"), report, home.root)
    assert choosing.environment_for("asr", home.root).name == "better"
    assert choosing.missing_for(["asr", "asr"], home.root) == ()
    with pytest.raises(UsageError, match="No environment does the stage 'mux'"):
        choosing.environment_for("mux", home.root)


def test_a_command_runs_in_a_built_environment_only(home, spec, report):
    with pytest.raises(MissingError) as missing:
        installed.run_in("tiny", ["--version"], home.root)
    assert missing.value.remedy == "python3 -m envspecs build tiny"
    build(spec(), report, home.root)
    assert installed.run_in("tiny", ["--version"], home.root).returncode == 0
    assert installed.run_in("tiny", ["--version"], home.root, capture=True).stdout.startswith(b"{")
