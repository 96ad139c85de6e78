from __future__ import annotations

from dataclasses import replace

import pytest

from envspecs.key import build_key, project_digest, running_python
from envspecs.spec import read


@pytest.fixture
def key_of(home):
    return lambda python=None: build_key(read("tiny", home.specs), python or running_python(), home.root)


def test_the_key_is_the_same_for_the_same_environment(key_of):
    assert key_of() == key_of()


def test_another_requirement_makes_another_key(home, key_of):
    before = key_of()
    home.spec("tiny", (home.specs / "tiny.toml").read_text().replace("27", "26"))
    assert key_of() != before


def test_another_requirement_of_an_included_spec_makes_another_key(home):
    home.spec("more", 'name = "more"\npurpose = "p"\ninclude = ["tiny"]\nrequirements = []\n')
    before = build_key(read("more", home.specs), running_python(), home.root)
    home.spec("tiny", (home.specs / "tiny.toml").read_text().replace("27", "26"))
    assert build_key(read("more", home.specs), running_python(), home.root) != before


def test_another_purpose_keeps_the_key(home, key_of):
    before = key_of()
    home.spec("tiny", (home.specs / "tiny.toml").read_text().replace("For tests", "For all"))
    assert key_of() == before


def test_another_lock_makes_another_key(home, key_of):
    before = key_of()
    (home.locks / "tiny.txt").write_text("pyzmq==27.3.0\n")
    assert key_of() != before


@pytest.mark.parametrize("field", ["version", "implementation", "machine"])
def test_another_python_makes_another_key(key_of, field):
    assert key_of(replace(running_python(), **{field: "other"})) != key_of()


def test_a_checkout_at_another_place_has_another_key(home, key_of):
    before = key_of()
    moved = home.root.rename(home.root.with_name("moved"))
    assert build_key(read("tiny", moved / "envspecs"), running_python(), moved) != before


def test_another_package_list_makes_another_digest_of_the_project_and_another_lint_rule_none(home):
    project = home.root / "pyproject.toml"
    before = project_digest(home.root)
    project.write_text(project.read_text() + "[tool.ruff]\nline-length = 99\n")
    assert project_digest(home.root) == before
    project.write_text(project.read_text() + '[tool.setuptools]\npy-modules = ["supervisor"]\n')
    assert project_digest(home.root) != before
