from __future__ import annotations

from pathlib import Path

import pytest

from envspecs import layout
from envspecs.spec import Platform, all_requirements, read, read_all, spec_names
from protocol.errors import SchemaError, UsageError

GOOD = """
name = "x"
purpose = "For tests"
requirements = ["pyzmq>=27", "msgpack>=1.1"]
models = ["whisper-base"]
default_model = "whisper-base"
[stages]
asr = { engine = "workers.engines.x.asr:Asr" }
[limits]
start_timeout_s = 4000
"""


def write(folder: Path, text: str, name: str = "x") -> Path:
    (folder / f"{name}.toml").write_text(text)
    return folder


def test_a_spec_is_read_with_its_stages_and_limits(tmp_path):
    spec = read("x", write(tmp_path, GOOD))
    assert spec.stages["asr"].engine == "workers.engines.x.asr:Asr"
    assert spec.limits.start_timeout_s == 4000
    assert spec.worker
    assert not spec.optional


@pytest.mark.parametrize(
    ("good", "bad", "path"),
    [
        ("purpose =", "porpose =", "x.toml.porpose"),
        ("start_timeout_s", "start_timeout_ms", "x.toml.limits.start_timeout_ms"),
        ("engine =", "motor =", "x.toml.stages.asr.motor"),
        ('"msgpack>=1.1"', "7", "x.toml.requirements[1]"),
        ('"msgpack>=1.1"', '"--index-url=x"', "x.toml.requirements[1]"),
        ('"msgpack>=1.1"', '"./msgpack"', "x.toml.requirements[1]"),
        ("4000", '"much"', "x.toml.limits.start_timeout_s"),
        ('name = "x"', 'name = "y"', "x.toml.name"),
        ("asr =", "hear =", "x.toml.stages.hear"),
        (".asr:Asr", ".asr", "x.toml.stages.asr.engine"),
        ('default_model = "whisper-base"', 'default_model = "other"', "x.toml.default_model"),
        ('name = "x"', 'name = "x"\npython = "3.11"', "x.toml.python"),
    ],
)
def test_one_wrong_key_or_value_is_refused_by_its_path(tmp_path, good, bad, path):
    assert good in GOOD
    with pytest.raises(SchemaError) as refused:
        read("x", write(tmp_path, GOOD.replace(good, bad, 1)))
    assert refused.value.path == path


def test_a_file_that_is_no_toml_is_refused_with_its_name_and_line(tmp_path):
    with pytest.raises(UsageError, match=r"x\.toml is not valid TOML.*line 1"):
        read("x", write(tmp_path, "name = \n"))


def test_an_unknown_environment_is_refused_with_those_there_are(tmp_path):
    with pytest.raises(UsageError, match="no environment 'y'; there are x"):
        read("y", write(tmp_path, GOOD))


def test_a_name_with_a_path_in_it_names_no_environment(tmp_path):
    with pytest.raises(UsageError):
        read("../x", write(tmp_path / ".", GOOD))


def test_requirements_of_included_specs_come_first_and_once(tmp_path):
    write(tmp_path, GOOD)
    more = 'name = "more"\npurpose = "p"\ninclude = ["x"]\nrequirements = ["pytest", "msgpack>=1.1"]\n'
    write(tmp_path, more, "more")
    assert all_requirements(read("more", tmp_path), tmp_path) == ("pyzmq>=27", "msgpack>=1.1", "pytest")


def test_specs_that_include_each_other_are_refused(tmp_path):
    for name, other in (("a", "b"), ("b", "a")):
        text = f'name = "{name}"\npurpose = "p"\ninclude = ["{other}"]\nrequirements = []\n'
        write(tmp_path, text, name)
    with pytest.raises(SchemaError, match="a -> b -> a"):
        all_requirements(read("a", tmp_path), tmp_path)


@pytest.mark.parametrize(
    ("clauses", "version", "fits"),
    [
        (">=3.11", (3, 11), True),
        (">=3.11", (3, 10), False),
        (">=3.11,<3.14", (3, 13), True),
        (">=3.11,<3.14", (3, 14), False),
    ],
)
def test_a_python_fits_its_clauses(tmp_path, clauses, version, fits):
    spec = read("x", write(tmp_path, f'python = "{clauses}"\n{GOOD}'))
    assert spec.allows_python(version) is fits


def test_a_platform_fits_where_each_named_field_does(monkeypatch):
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    assert Platform().fits_here()
    assert Platform(system="Darwin", machine="arm64").fits_here()
    assert not Platform(system="Linux").fits_here()


def test_the_specs_of_this_repository_are_right_and_their_locks_name_no_machine():
    folder = Path(layout.__file__).parent
    names = {spec.name for spec in read_all(folder)}
    assert {"common", "dev", "whisperx"} <= names
    assert "models" not in spec_names(folder)
    for name in names:
        lock = (folder / "locks" / f"{name}.txt").read_text()
        assert "://" not in lock
        assert " @ " not in lock
        assert "--" not in lock.replace("\n#", "")
