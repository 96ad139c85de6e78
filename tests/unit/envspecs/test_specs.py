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


COMPUTING = """
[computing]
devices = ["cuda", "cpu"]
compute_types = { cuda = "float16" }
by_memory = [
    { gpu_from_gib = 2, gpu_below_gib = 6, compute_type = "int8", batch_sizes = { asr = 4 } },
    { ram_below_gib = 4, batch_sizes = { asr = 1 } },
]
"""


@pytest.mark.parametrize(
    ("good", "bad", "path"),
    [
        ('"cuda", "cpu"', '"cuda", "gpu"', "devices[1]"),
        ('"cuda", "cpu"', "", "devices"),
        ('"cuda", "cpu"', '"cuda", "cuda"', "devices"),
        ('"cuda", "cpu"', '"cuda", "own"', "devices"),
        ('"cuda", "cpu"', '"mlx"', "compute_types.cuda"),
        ("cuda = ", "mps = ", "compute_types.mps"),
        ('"float16"', "16", "compute_types.cuda"),
        ('"float16"', '""', "compute_types.cuda"),
        ("gpu_below_gib = 6", "gpu_below_mib = 6", "by_memory[0].gpu_below_mib"),
        ("gpu_below_gib = 6", "gpu_below_gib = 2", "by_memory[0].gpu_below_gib"),
        ("gpu_below_gib = 6", "gpu_below_gib = -6", "by_memory[0].gpu_below_gib"),
        ("gpu_from_gib = 2", "gpu_from_gib = nan", "by_memory[0].gpu_from_gib"),
        ("gpu_below_gib = 6", "ram_below_gib = 6", "by_memory[0]"),
        ("ram_below_gib = 4, ", "", "by_memory[1]"),
        (", batch_sizes = { asr = 1 }", "", "by_memory[1]"),
        ("{ asr = 1 }", "{ asr = 0 }", "by_memory[1].batch_sizes.asr"),
        ("{ asr = 1 }", "{ vad = 1 }", "by_memory[1].batch_sizes.vad"),
        ("{ asr = 1 }", "{ hear = 1 }", "by_memory[1].batch_sizes.hear"),
        ('devices = ["cuda", "cpu"]\ncompute_types = { cuda = "float16" }', "", "by_memory[0]"),
        ("devices =", "device =", "device"),
        ("devices =", "threads = -1\ndevices =", "threads"),
    ],
)
def test_what_an_engine_cannot_compute_on_is_refused_by_its_path(tmp_path, good, bad, path):
    assert good in COMPUTING
    with pytest.raises(SchemaError) as refused:
        read("x", write(tmp_path, GOOD + COMPUTING.replace(good, bad, 1)))
    assert refused.value.path == f"x.toml.computing.{path}"
    whole = GOOD.replace("asr = {", "[stages.asr]\n").replace('Asr" }', 'Asr"')
    own = COMPUTING.replace(good, bad, 1).replace("[computing]", "[stages.asr.computing]")
    with pytest.raises(SchemaError) as refused:
        read("x", write(tmp_path, whole + own))
    assert refused.value.path == f"x.toml.stages.asr.computing.{path}"


def test_numbers_that_no_stage_is_ever_given_are_refused(tmp_path):
    mux = GOOD.replace("asr =", "mux =")
    for says, path in (
        ('compute_types = { cpu = "int8" }', "compute_types"),
        ("by_memory = [{ ram_below_gib = 4, batch_sizes = { mux = 1 } }]", "by_memory[0].batch_sizes.mux"),
        ('by_memory = [{ ram_below_gib = 4, compute_type = "int8" }]', "by_memory[0].compute_type"),
    ):
        with pytest.raises(SchemaError, match="no stage of it takes") as refused:
            read("x", write(tmp_path, f"{mux}[computing]\n{says}\n"))
        assert refused.value.path == f"x.toml.computing.{path}"


def test_the_stages_of_a_worker_have_their_threads_together(tmp_path):
    text = GOOD.replace('Asr" }', 'Asr", computing = { threads = 2 } }')
    with pytest.raises(SchemaError, match="share one worker") as refused:
        read("x", write(tmp_path, text))
    assert refused.value.path == "x.toml.stages.asr.computing.threads"


def test_a_spec_that_says_nothing_computes_on_the_processor(tmp_path):
    assert read("x", write(tmp_path, GOOD)).computing_of("asr").devices == ("cpu",)
    assert read("x", write(tmp_path, GOOD + COMPUTING)).computing_of("asr").devices == ("cuda", "cpu")


def test_an_environment_has_one_worker_if_its_spec_says_nothing(tmp_path):
    assert read("x", write(tmp_path, GOOD)).workers == 1
    for text, workers in (("3", 3), ('"per-gpu"', "per-gpu")):
        assert read("x", write(tmp_path, f"workers = {text}\n{GOOD}")).workers == workers


@pytest.mark.parametrize("word", ["0", "-1", "65", "1.5", "true", '"many"', '"2"', "[1]"])
def test_a_wrong_number_of_workers_is_refused_by_its_path(tmp_path, word):
    with pytest.raises(SchemaError) as refused:
        read("x", write(tmp_path, f"workers = {word}\n{GOOD}"))
    assert refused.value.path == "x.toml.workers"


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
