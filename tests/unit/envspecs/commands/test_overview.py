from __future__ import annotations

import json
import os

import pytest

from envspecs.__main__ import main
from envspecs.builds.build import build
from envspecs.builds.installed import read_marker, write_marker
from envspecs.commands.overview import as_lines, entries, map_lines
from envspecs.layout import builds_directory
from envspecs.sizes import human, taken_by
from envspecs.spec import read
from protocol.errors import ExitCode
from protocol.supervisor import ChildReport, SupervisorReport, write_supervisor

STAGES = '[stages]\nasr = { engine = "workers.engines.x:X" }\nalign = { engine = "workers.engines.x:Y" }\n'


@pytest.fixture
def built(home, report):
    home.spec("tiny", (home.specs / "tiny.toml").read_text() + STAGES)
    home.spec("far", 'name = "far"\npurpose = "p"\nrequirements = []\nplatform = { system = "Plan9" }\n')
    return build(read("tiny", home.specs), report, home.root)


def entry(home, name):
    return next(environment for environment in entries(home.root)[0] if environment.name == name)


def test_an_environment_is_told_with_versions_size_key_and_what_it_is_used_for(home, built):
    found = entry(home, "tiny")
    assert (found.state, found.optional, found.stages) == ("built", False, ("asr", "align"))
    assert (found.main, found.versions["pyzmq"], found.versions["numpy"]) == ("pyzmq", "27.0.0", "2.4.6")
    assert found.key == read_marker(built).key
    assert found.size_bytes > 0
    assert found.used == "used for asr, align"
    assert entry(home, "far").used == "for Plan9 only"


def test_the_list_fits_a_hundred_columns_and_says_every_thing_on_its_line(home, built):
    names = ", ".join(f'"workers-{number}"' for number in range(30))
    home.spec("tiny", (home.specs / "tiny.toml").read_text().replace('"pyzmq>=27"', f'"pyzmq>=27", {names}'))
    lines = as_lines(*entries(home.root))
    assert max(len(line) for line in lines) <= 100
    row = next(line for line in lines if line.startswith("tiny"))
    assert row.split()[:2] == ["tiny", "outdated"]
    assert "pyzmq 27.0.0" in row
    assert "  required; out of date: python3 -m envspecs build tiny; does asr, align" in lines
    assert "  required; for Plan9 only" in lines


def test_a_marker_of_an_older_kind_is_helped_out_by_what_lies_in_the_build(home, built):
    marker = read_marker(built)
    write_marker(built, type(marker)(**{**marker.__dict__, "packages": {}, "versions": {"pyzmq": "27.0.0"}}))
    (built / "lib" / "python3.11" / "site-packages" / "torch-2.8.0+cpu.dist-info").mkdir(parents=True)
    assert entry(home, "tiny").versions == {"torch": "2.8.0+cpu", "pyzmq": "27.0.0"}


def test_a_marker_of_an_older_kind_is_completed_by_the_next_build_which_installs_nothing(home, built, report):
    marker = read_marker(built)
    write_marker(built, type(marker)(**{**marker.__dict__, "packages": {}}))
    done = home.calls()
    assert build(read("tiny", home.specs), report, home.root) == built
    assert home.calls() == done
    assert read_marker(built).packages == {"numpy": "2.4.6", "pyzmq": "27.0.0"}


def test_files_that_builds_share_are_counted_once_in_what_they_take_together(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
    (one / "shared").write_bytes(b"x" * 100_000)
    os.link(one / "shared", one / "twice")
    os.link(one / "shared", two / "shared")
    (two / "own").write_bytes(b"y" * 100_000)
    (two / "elsewhere").symlink_to("/usr")
    size = taken_by(one).size
    assert size >= 100_000
    assert taken_by(two).size >= 2 * size
    assert (taken_by(one) | taken_by(two)).size == taken_by(two).size


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0 B"), (999, "999 B"), (1_000, "1.0 KB"), (59_400_000, "59 MB"), (7_767_973_888, "7.8 GB")],
)
def test_sizes_are_said_shortly(size, said):
    assert human(size) == said


def test_both_builds_are_named_where_there_is_a_way_back(home, built, capsys):
    home.newest("pyzmq==27.1.0\n")
    assert main(["upgrade", "tiny"]) == ExitCode.DONE
    assert "the way back: python3 -m envspecs rollback tiny" in capsys.readouterr().err
    assert entry(home, "tiny").previous == built.name
    assert main(["list", "--json"]) == ExitCode.DONE
    listed = json.loads(capsys.readouterr().out)["environments"]["tiny"]
    assert (listed["previous"], listed["proved"], listed["python"]) == (
        built.name,
        False,
        str(builds_directory(home.root) / f"tiny-{listed['key']}" / "bin" / "python"),
    )
    assert main(["rollback", "tiny"]) == ExitCode.DONE
    assert f"tiny: back in {built.name}." in capsys.readouterr().err


def test_the_program_is_called_what_the_person_called_it(home, capsys):
    spoken = {"python3 -m envspecs": "cpw envs", "python3 -m envspecs models": "cpw models"}
    assert main(["path", "tiny"], spoken) == ExitCode.MISSING
    assert "Do this: cpw envs build tiny" in capsys.readouterr().err
    assert main(["models", "path", "nothing"], spoken) == ExitCode.MISSING
    assert "Do this: cpw models fetch nothing" in capsys.readouterr().err


def test_all_builds_the_optional_ones_too_and_leaves_out_what_this_machine_cannot_have(home, capsys):
    for name, more in (("extra", "optional = true"), ("late", 'optional = true\npython = ">=3.99"')):
        home.spec(name, f'name = "{name}"\npurpose = "p"\nrequirements = []\n{more}\n')
    home.spec("far", 'name = "far"\npurpose = "p"\nrequirements = []\nplatform = { system = "Plan9" }\n')
    assert main(["build", "--all"]) == ExitCode.DONE
    assert "late: left out, it needs Python >=3.99" in capsys.readouterr().err
    built = {environment.name for environment in entries(home.root)[0] if environment.state == "built"}
    assert built == {"tiny", "extra"}
    assert main(["build", "--all", "tiny"]) == ExitCode.USAGE


def test_validate_looks_only_at_what_the_workflow_needs(home, built, capsys):
    for stage in ("demux", "clean", "subtitle"):
        entry = f'[stages]\n{stage} = {{ engine = "workers.engines.x:X" }}\n'
        home.spec(stage, f'name = "{stage}"\npurpose = "p"\nrequirements = []\n{entry}')
    assert main(["validate", "--workflow", "transcribe"]) == ExitCode.MISSING
    shown = capsys.readouterr().out
    assert "demux: missing\n" in shown
    assert "far" not in shown


def test_only_cpw_can_talk_to_what_runs(home, capsys):
    assert main(["reload", "tiny"]) == ExitCode.USAGE
    assert "Do this: cpw envs reload tiny" in capsys.readouterr().err


def running(tmp_path, monkeypatch, **children):
    """Let a supervisor's report stand in the runtime directory: its children by name, and their states."""
    monkeypatch.setenv("CPW_RUNTIME", str(tmp_path))
    reports = {name: ChildReport(state=state) for name, state in children.items()}
    write_supervisor(tmp_path, SupervisorReport(pid=1, started=0.0, children=reports))


def test_a_bare_python_says_how_a_worker_gets_the_new_build(home, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CPW_RUNTIME", str(tmp_path))
    main(["build", "tiny"])
    assert "cpw envs reload" not in capsys.readouterr().err
    running(tmp_path, monkeypatch, tiny="running")
    main(["build", "tiny", "--again"])
    assert "Running workers use the previous build until: cpw envs reload tiny" in capsys.readouterr().err


@pytest.mark.parametrize("children", [{}, {"tiny": "not built"}])
def test_a_first_build_has_no_worker_that_could_use_the_previous_one(
    home, tmp_path, monkeypatch, capsys, children
):
    running(tmp_path, monkeypatch, **children)
    main(["build", "tiny"])
    said = capsys.readouterr().err
    assert "to start a worker in the new build: cpw envs reload tiny" in said
    assert "previous build" not in said


def test_of_an_environment_without_a_worker_nothing_is_to_be_reloaded(home, tmp_path, monkeypatch, capsys):
    home.spec("tiny", "worker = false\n" + (home.specs / "tiny.toml").read_text())
    running(tmp_path, monkeypatch)
    main(["build", "tiny"])
    assert "reload" not in capsys.readouterr().err


def test_the_maps_are_read_on_a_screen(home, built):
    from envspecs.commands.overview import environment_map

    home.spec(
        "rest",
        'name = "rest"\npurpose = "p"\nrequirements = []\n[stages]\n'
        + "\n".join(
            f'{stage} = {{ engine = "workers.engines.x:X" }}'
            for stage in ("demux", "clean", "subtitle", "translate", "mux")
        ),
    )
    shown = "\n".join(map_lines(environment_map(home.root)))
    assert "  transcribe  rest, tiny" in shown
    assert "  asr         tiny" in shown
