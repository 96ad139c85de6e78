from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from envspecs import layout
from envspecs.builds.build import build
from envspecs.builds.copies import copy, forget, remove_builds
from envspecs.builds.history import hold
from envspecs.builds.lockfile import lock_is_current
from envspecs.layout import builds_directory, lock_path, venv_path
from envspecs.spec import read, read_all, spec_names
from protocol.errors import SchemaError, UsageError

RICH = """
# A comment that stays.
name = "rich"
purpose = "For tests"
requirements = [
    "torch",  # for a reason
    "numpy[extra]>=2",
]
optional = false
preferred = { system = "Plan9" }

[stages]
asr = { engine = "workers.engines.rich:Asr", rank = 7 }

[environment]
name = "not the spec's"
"""


def test_a_copy_is_as_its_source_but_used_by_name_only(home):
    home.spec("rich", RICH)
    path = copy("rich", "rich-experimental", home.root)
    made, source = read("rich-experimental", home.specs), read("rich", home.specs)
    assert made == dataclasses.replace(
        source, name="rich-experimental", optional=True, by_name_only=True, copied_from="rich"
    )
    assert "# A comment that stays." in path.read_text()
    assert "# for a reason" in path.read_text()


def test_every_environment_of_this_repository_can_be_copied(home):
    folder = Path(layout.__file__).parent
    for name in spec_names(folder):
        home.spec(name, (folder / f"{name}.toml").read_text())
        copy(name, f"{name}-two", home.root)
    assert read("whisperx-two", home.specs).stages == read("whisperx", home.specs).stages


def test_the_lock_is_copied_and_is_the_copys_own(home):
    text = "# Constraints of the environment tiny. Made by: python3 -m envspecs lock tiny\n"
    text += "# For: pyzmq>=27\nx==1\n"
    lock_path("tiny", home.root).write_text(text)
    copy("tiny", "other", home.root)
    assert lock_path("other", home.root).read_text() == text.replace("tiny", "other")
    assert lock_is_current(read("other", home.specs), home.root)


def test_a_copy_can_be_copied(home):
    copy("tiny", "second", home.root)
    copy("second", "third", home.root)
    assert read("third", home.specs).copied_from == "second"


@pytest.mark.parametrize(("name", "error"), [("tiny", UsageError), ("../x", SchemaError), ("X", SchemaError)])
def test_a_name_that_is_taken_or_none_is_refused_and_nothing_written(home, name, error):
    before = sorted(home.root.rglob("*"))
    with pytest.raises(error):
        copy("tiny", name, home.root)
    assert sorted(home.root.rglob("*")) == before


def test_a_spec_that_cannot_be_copied_line_by_line_is_refused(home):
    home.spec("odd", '"name" = "odd"\npurpose = "p"\nrequirements = []\n')
    with pytest.raises(UsageError):
        copy("odd", "odd-two", home.root)
    assert "odd-two" not in spec_names(home.specs)


def test_a_copy_is_removed_with_its_builds_and_nothing_else(home, report):
    copy("tiny", "tiny-two", home.root)
    build(read("tiny", home.specs), report, home.root)
    build(read("tiny-two", home.specs), report, home.root)
    forget(read("tiny-two", home.specs), home.root)
    remove_builds("tiny-two", report, home.root)
    assert [spec.name for spec in read_all(home.specs)] == ["tiny"]
    left = [path for path in home.root.rglob("*tiny-two*") if not path.name.endswith(".lock")]
    assert left == []
    assert venv_path("tiny", home.root).is_symlink()


def test_a_build_in_use_is_left_and_named(home, report):
    copy("tiny", "tiny-two", home.root)
    folder = build(read("tiny-two", home.specs), report, home.root)
    held = hold(folder)
    assert held is not None
    forget(read("tiny-two", home.specs), home.root)
    remove_builds("tiny-two", report, home.root)
    assert folder.is_dir()
    assert folder.parent == builds_directory(home.root)
    assert folder.name in report.lines[-1]


def test_an_environment_of_the_project_or_one_that_others_include_is_not_removed(home):
    with pytest.raises(UsageError, match="not a copy"):
        forget(read("tiny", home.specs), home.root)
    copy("tiny", "two", home.root)
    home.spec("more", 'name = "more"\npurpose = "p"\ninclude = ["two"]\nrequirements = []\n')
    with pytest.raises(UsageError, match="included by more"):
        forget(read("two", home.specs), home.root)
    assert "two" in spec_names(home.specs)


PROJECTS = """
name = "common"
purpose = "Of the project"
requirements = []
[stages]
demux = { engine = "workers.engines.common.film.demux:FfmpegDemux", name = "common.demux:FfmpegDemux" }
asr = { engine = "workers.engines.common.asr:Asr", rank = 7 }
[computing]
devices = ["cuda", "cpu"]
"""
OLD_COPY = """
name = "common-two"
copied_from = "common"
optional = true
by_name_only = true
purpose = "Of the project"
requirements = []
[stages]
demux = { engine = "workers.engines.common.demux:FfmpegDemux", rank = 3 }
asr = { engine = "workers.engines.common.asr:Asr" }
align = { engine = "somebody.elses:Align" }
"""


def test_an_older_copy_has_the_engines_and_devices_of_today(home):
    home.spec("common", PROJECTS)
    home.spec("common-two", OLD_COPY)
    source, made = read("common", home.specs), read("common-two", home.specs)
    assert made.stages["demux"] == dataclasses.replace(source.stages["demux"], rank=3)
    assert made.computing == source.computing
    assert made.stages["asr"].rank == 50
    assert made.stages["align"].engine == "somebody.elses:Align"


def test_a_copy_of_an_older_copy_is_as_that_one_even_when_that_one_is_gone(home):
    home.spec("common", PROJECTS)
    home.spec("common-two", OLD_COPY)
    copy("common-two", "common-three", home.root)
    found = read("common-three", home.specs)
    assert found.stages == read("common-two", home.specs).stages
    forget(read("common-two", home.specs), home.root)
    assert read("common-three", home.specs).stages == found.stages


def test_what_a_copy_says_of_its_devices_itself_stays(home):
    home.spec("common", PROJECTS)
    home.spec("common-two", OLD_COPY + '[computing]\ndevices = ["cpu"]\n')
    made = read("common-two", home.specs)
    assert made.computing_of("asr").devices == ("cpu",)
    assert made.stages["demux"].engine == "workers.engines.common.film.demux:FfmpegDemux"
