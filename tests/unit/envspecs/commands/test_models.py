from __future__ import annotations

import json

import pytest

from envspecs.__main__ import main
from envspecs.builds.build import build
from envspecs.models.registry import MANIFEST
from envspecs.spec import read
from protocol.errors import ExitCode

MODEL = """
[[models]]
id = "{id}"
kind = "{kind}"
licence = "MIT"
description = "For tests"
size_bytes = 484_000_000
needs = ["model.bin"]
translates_from = {source}
translates_to = {target}
[[models.sources]]
kind = "huggingface"
repository = "owner/{id}"
gated = {gated}
"""


def model(identity, kind, source=(), target=(), gated=False):
    return MODEL.format(
        id=identity, kind=kind, source=list(source), target=list(target), gated=str(gated).lower()
    )


@pytest.fixture
def registry(home, report):
    """Speech with a model, and two translators, of which only the second is built."""
    texts = [model("speech-base", "speech"), model("indic", "indic", ["hi"], ["gu"], gated=True)]
    texts.append(model("all", "all", ["hi", "de"], ["gu", "en"]))
    (home.specs / "models.toml").write_text("".join(texts))
    for name, stages, rank in (
        ("common", ("demux", "clean", "subtitle", "mux"), 50),
        ("speech", ("asr", "align"), 50),
        ("indic", ("translate",), 10),
        ("all", ("translate",), 20),
    ):
        lines = [f'name = "{name}"', 'purpose = "p"', "requirements = []", f'model_kinds = ["{name}"]']
        if name == "speech":
            lines += ['default_model = "speech-base"', 'models = ["speech-base"]']
        entries = [f'{stage} = {{ engine = "workers.x:X", rank = {rank} }}' for stage in stages]
        home.spec(name, "\n".join([*lines, "[stages]", *entries]) + "\n")
        if name != "indic":
            build(read(name, home.specs), report, home.root)


def store(home, identity):
    folder = home.root / "models" / identity
    folder.mkdir(parents=True)
    (folder / MANIFEST).write_text(json.dumps({"id": identity, "source": "folder", "files": {}}))


def listed(capsys, *words):
    code = main(["models", "list", *words])
    return code, capsys.readouterr()


def test_models_are_listed_with_kind_size_licence_and_where_they_are(home, registry, capsys):
    store(home, "all")
    code, shown = listed(capsys)
    assert code == ExitCode.DONE
    lines = [" ".join(line.split()) for line in shown.out.splitlines()]
    assert "all all 0 B MIT here (folder)" in lines
    assert "indic indic 484 MB MIT not here: hub, gated" in lines
    assert max(len(line) for line in shown.out.splitlines()) <= 100


def test_those_whose_licence_forbids_commerce_are_named_and_told_as_json(home, registry, capsys):
    _, shown = listed(capsys)
    assert "not for commercial use" not in shown.out
    file = home.specs / "models.toml"
    file.write_text(file.read_text().replace('licence = "MIT"', 'licence = "CC-BY-NC-4.0"', 2))
    _, shown = listed(capsys)
    assert "\nnot for commercial use: speech-base, indic\n" in shown.out
    _, shown = listed(capsys, "--json")
    forbid = {entry["id"]: entry["forbids_commerce"] for entry in json.loads(shown.out)["models"]}
    assert forbid == {"speech-base": True, "indic": True, "all": False}


def test_what_built_environments_lack_is_said_with_the_command(home, registry, capsys):
    _, shown = listed(capsys)
    assert "missing: python3 -m envspecs models fetch speech-base   for speech" in shown.out
    store(home, "speech-base")
    _, shown = listed(capsys)
    assert shown.out.rstrip().endswith("Nothing is missing.")


def test_what_a_workflow_lacks_is_said_and_the_exit_code_tells(home, registry, capsys):
    store(home, "speech-base")
    code, shown = listed(capsys, "--workflow", "translate", "-s", "hi", "-t", "gu")
    assert code == ExitCode.MISSING
    assert "asr in speech: speech-base\n" in shown.out
    assert "missing: python3 -m envspecs models fetch indic\n" in shown.out


def test_a_pair_that_a_later_environment_has_lacks_nothing(home, registry, capsys):
    store(home, "speech-base")
    store(home, "all")
    code, shown = listed(capsys, "-w", "translate", "-s", "hi", "-t", "gu,hi")
    assert code == ExitCode.DONE
    assert "Hindi into Gujarati in all: all\n" in shown.out
    assert "Nothing is missing." in shown.out


def test_the_same_as_json(home, registry, capsys):
    _, shown = listed(capsys, "-w", "subtitle", "-s", "de", "-t", "en", "--json")
    found = json.loads(shown.out)
    assert found["version"] == 1
    assert [listed_model["gated"] for listed_model in found["models"]] == [False, True, False]
    assert found["needs"] == [
        {"model": "speech-base", "for": "asr in speech", "in_store": False},
        {"model": "all", "for": "German into English in all", "in_store": False},
    ]


@pytest.mark.parametrize(
    "words", [["-t", "en"], ["-w", "transcribe", "-t", "en"], ["-w", "translate", "-s", "ta", "-t", "en"]]
)
def test_what_makes_no_sense_is_refused(home, registry, capsys, words):
    code, shown = listed(capsys, *words)
    assert code == ExitCode.USAGE
    assert "error: " in shown.err
