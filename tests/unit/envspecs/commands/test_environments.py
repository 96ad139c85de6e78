from __future__ import annotations

import json
import platform
import sys

import pytest

from envspecs.__main__ import Terminal, main
from envspecs.builds import uv
from envspecs.builds.lockfile import lock, lock_is_current
from envspecs.builds.uv import Tools, child_environment, find_uv
from envspecs.layout import lock_path, uv_directory, venv_path
from envspecs.spec import read
from protocol.errors import ExitCode, MissingError

STAGES = '\n[stages]\nasr = { engine = "workers.engines.x:X" }\n'


def test_build_without_names_builds_what_is_required_here(home, capsys):
    home.spec("extra", 'name = "extra"\npurpose = "p"\nrequirements = []\noptional = true\n')
    home.spec("far", 'name = "far"\npurpose = "p"\nrequirements = []\n[platform]\nsystem = "Plan9"\n')
    assert main(["build"]) == ExitCode.DONE
    assert venv_path("tiny").is_symlink()
    assert not venv_path("extra").is_symlink()
    assert "tiny: linking this checkout: " in capsys.readouterr().err


def test_build_without_names_builds_what_is_preferred_on_such_a_machine(home):
    spec = 'name = "{}"\npurpose = "p"\nrequirements = []\noptional = true\npreferred = {{ system = "{}" }}\n'
    home.spec("native", spec.format("native", platform.system()))
    home.spec("foreign", spec.format("foreign", "Plan9"))
    assert main(["build"]) == ExitCode.DONE
    assert venv_path("native").is_symlink()
    assert not venv_path("foreign").is_symlink()


def test_path_names_the_build_and_says_how_to_make_it_where_there_is_none(home, capsys):
    assert main(["path", "tiny"]) == ExitCode.MISSING
    assert "Do this: python3 -m envspecs build tiny" in capsys.readouterr().err
    main(["build", "tiny"])
    assert main(["path", "tiny"]) == ExitCode.DONE
    assert capsys.readouterr().out.strip() == str(venv_path("tiny").resolve())


@pytest.mark.parametrize(
    "argv", [["build", "nothing"], ["models", "fetch", "nothing"], ["models", "path", "../x"], ["path", "-x"]]
)
def test_what_is_written_wrong_exits_with_the_code_of_usage(home, argv):
    try:
        code = main(argv)
    except SystemExit as ended:
        code = ended.code
    assert code == ExitCode.USAGE


def test_a_wrong_key_is_named_and_exits_with_the_code_of_usage(home, capsys):
    home.spec("tiny", 'name = "tiny"\npurpos = "p"\n')
    assert main(["list"]) == ExitCode.USAGE
    assert "tiny.toml.purpos: there is no such key" in capsys.readouterr().err


def test_ctrl_c_exits_with_its_code_and_without_a_traceback(home, capsys, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Tools, "run", interrupt)
    assert main(["build", "tiny"]) == ExitCode.INTERRUPTED
    assert "Interrupted" in capsys.readouterr().err


def test_a_full_disk_of_our_own_writing_is_a_sentence_too(home, capsys, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device", "somewhere")

    monkeypatch.setattr("envspecs.builds.build.write_marker", full)
    assert main(["build", "tiny"]) == ExitCode.MISSING
    assert "error: somewhere: No space left on device." in capsys.readouterr().err


def test_the_maps_are_shown_as_versioned_json(home, capsys):
    home.spec("tiny", (home.specs / "tiny.toml").read_text() + STAGES)
    for stage in ("demux", "align", "clean", "translate", "subtitle", "mux"):
        table = STAGES.replace("asr", stage)
        home.spec(stage, f'name = "{stage}"\npurpose = "p"\nrequirements = []\n{table}')
    assert main(["list", "--json"]) == ExitCode.DONE
    found = json.loads(capsys.readouterr().out)
    assert found["version"] == 1
    assert found["environments"]["tiny"]["state"] == "missing"
    assert found["environments"]["tiny"]["path"] == str(venv_path("tiny"))
    assert found["stages"]["asr"] == ["tiny"]
    assert "tiny" in found["workflows"]["transcribe"]
    assert found["environments"]["tiny"]["used"] == "not built: python3 -m envspecs build tiny"
    assert main(["map", "--json"]) == ExitCode.DONE
    maps = json.loads(capsys.readouterr().out)
    assert maps["stages"] == found["stages"]
    assert maps["workflows"] == found["workflows"]
    assert main(["map"]) == ExitCode.DONE
    shown = capsys.readouterr().out.partition("stage -> environments")[2]
    assert "  asr         tiny\n" in shown


def test_validate_names_everything_missing_with_the_command_that_mends_it(home, capsys):
    home.spec("tiny", 'models = ["m"]\n' + (home.specs / "tiny.toml").read_text() + STAGES)
    assert main(["validate"]) == ExitCode.MISSING
    out = capsys.readouterr().out
    assert "is missing: python3 -m envspecs build tiny" in out
    assert "python3 -m envspecs lock tiny" in out
    assert "workers/engines/x.py, the engine of asr, is not there" in out
    assert "the model m is not in envspecs/models.toml" in out


def test_validate_is_content_when_all_is_there(home, capsys):
    home.spec("tiny", 'name = "tiny"\npurpose = "p"\nrequirements = []\n')
    lock_path("tiny").write_text(
        "# Constraints of the environment tiny. Made by: python3 -m envspecs lock tiny\n# For: \n"
    )
    main(["build"])
    assert main(["validate"]) == ExitCode.DONE
    assert capsys.readouterr().out == "tiny: built\n"


def test_a_lock_says_what_it_was_made_for(home, report, monkeypatch):
    def compile_(self, arguments, purpose):
        path = arguments[arguments.index("--output-file") + 1]
        with open(path, "w") as file:  # noqa: PTH123 (stands in for a tool that writes)
            file.write("pyzmq==27.3.0\n")
        assert "UV_FIND_LINKS" in self.without

    monkeypatch.setattr(Tools, "run", compile_)
    spec = read("tiny")
    assert not lock_is_current(spec)
    assert lock(spec, report).read_text().endswith("# For: pyzmq>=27\npyzmq==27.3.0\n")
    assert lock_is_current(spec)
    home.spec("tiny", (home.specs / "tiny.toml").read_text().replace("27", "26"))
    assert not lock_is_current(read("tiny"))
    home.spec("tiny", (home.specs / "tiny.toml").read_text() + 'nvidia_requirements = ["fast-on-gpus"]\n')
    assert "# For: pyzmq>=26, fast-on-gpus\n" in lock(read("tiny"), report).read_text()


def test_a_tool_sees_nothing_that_leads_its_python_astray_and_what_pip_would_see(tmp_path, monkeypatch):
    for name in ("UV_FIND_LINKS", "UV_INDEX", "UV_DEFAULT_INDEX", "UV_HTTP_TIMEOUT", "HOME", "UV_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"):
        monkeypatch.setenv(name, "/wrong")
    monkeypatch.setenv("PIP_FIND_LINKS", "/a /b")
    monkeypatch.setenv("PIP_INDEX_URL", "file:///first")
    monkeypatch.setenv("UV_INDEX", "file:///mine")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "file:///other")
    found = child_environment(tmp_path)
    assert not {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"} & set(found)
    assert found["UV_FIND_LINKS"] == "/a,/b"
    assert found["UV_DEFAULT_INDEX"] == "file:///first"
    assert found["UV_INDEX"] == "file:///mine"
    assert found["UV_PYTHON_DOWNLOADS"] == "never"
    assert found["UV_CACHE_DIR"].startswith(str(tmp_path))


def test_uv_is_made_once_where_the_machine_has_none_and_a_half_made_one_is_made_again(
    home, report, monkeypatch
):
    made = []

    def make(folder, root, lock):
        assert not folder.exists()
        made.append(folder)
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "uv").touch()

    monkeypatch.setenv("PATH", str(home.root))
    monkeypatch.setattr(uv, "make_uv", make)
    folder = uv_directory(home.root)
    (folder / "bin").mkdir(parents=True)
    assert find_uv(home.root, report) == folder / "bin" / "uv"
    assert find_uv(home.root, report) == folder / "bin" / "uv"
    assert made == [folder]


def test_a_tool_that_is_not_there_is_named(tmp_path):
    tools = Tools(uv=tmp_path / "uv", root=tmp_path)
    with pytest.raises(MissingError, match="uv cannot be run: No such file"):
        tools.run(["venv"], "It failed")


def test_progress_is_a_line_at_every_tenth_off_a_terminal_and_nothing_for_small_files(capsys):
    terminal = Terminal()
    total = 1 << 28
    for done in range(0, total + 1, total // 64):
        terminal.progress("m", done, total)
    terminal.progress("small", 5, 10)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 11
    assert lines[-1] == "m: 100 %"


def test_progress_is_drawn_in_place_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    Terminal().progress("m", 1 << 28, 1 << 28)
    shown = capsys.readouterr().err
    assert shown.startswith("\rm [#########################]")
    assert shown.endswith("100 %\n")
