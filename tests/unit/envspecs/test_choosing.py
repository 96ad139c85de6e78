from __future__ import annotations

import platform

import pytest

from envspecs.builds.build import build
from envspecs.choosing import environment_for, environments_for, program_for, why
from envspecs.spec import Platform, read, read_all
from protocol.errors import SchemaError, UsageError

HERE = f'system = "{platform.system()}"'
ELSEWHERE = 'system = "Plan9", machine = "mips"'


@pytest.fixture
def add(home):
    def write(name, *lines, rank=50, stage="asr"):
        head = "\n".join([f'name = "{name}"', 'purpose = "p"', "requirements = []", *lines])
        home.spec(name, f'{head}\n[stages]\n{stage} = {{ engine = "workers.x:X", rank = {rank} }}\n')

    return write


@pytest.fixture
def built(home, report):
    return lambda *names: [build(read(name, home.specs), report, home.root) for name in names]


def order(home):
    return [environment.name for environment in environments_for("asr", home.root)]


def reason(home, name):
    return why(read(name, home.specs), read_all(home.specs), home.root)


def test_the_lowest_rank_goes_first_then_the_required_then_the_name(home, add):
    add("z", rank=10)
    add("b", "optional = true")
    add("c")
    add("a", "optional = true")
    assert order(home) == ["z", "c", "a", "b"]


def test_what_is_built_goes_before_what_is_not(home, add, built):
    add("first", rank=10)
    add("second", rank=20)
    assert environment_for("asr", home.root).name == "first"
    built("second")
    assert environment_for("asr", home.root).name == "second"
    built("first")
    assert environment_for("asr", home.root).name == "first"


def test_one_that_is_preferred_on_such_a_machine_goes_before_all(home, add, built):
    add("usual", rank=1)
    add("mine", f"preferred = {{ {HERE} }}", "optional = true", rank=99)
    assert order(home) == ["mine", "usual"]
    built("usual", "mine")
    assert reason(home, "mine") == "used for asr"
    assert reason(home, "usual") == "not for asr: mine comes first (--env asr=usual)"


def test_one_that_is_preferred_elsewhere_or_by_name_only_serves_only_who_names_it(home, add, built):
    add("usual")
    add("foreign", f"preferred = {{ {ELSEWHERE} }}", "optional = true", rank=1)
    add("second", "by_name_only = true", "optional = true", rank=1)
    built("usual", "foreign", "second")
    assert order(home) == ["usual"]
    assert reason(home, "foreign") == "by name only: --env asr=foreign; preferred on Plan9 mips"
    assert reason(home, "second") == "by name only: --env asr=second"


def test_by_name_only_outweighs_preferred(home, add):
    add("both", "by_name_only = true", f"preferred = {{ {HERE} }}")
    assert order(home) == []


def test_one_for_another_machine_is_never_used_and_says_so(home, add):
    add("far", f"platform = {{ {ELSEWHERE} }}")
    assert order(home) == []
    assert reason(home, "far") == "for Plan9 mips only"


def test_one_that_is_not_built_names_the_command(home, add):
    add("usual")
    assert reason(home, "usual") == "not built: python3 -m envspecs build usual"


def test_translators_are_told_by_who_comes_before(home, add, built):
    add("one", rank=10, stage="translate")
    add("two", rank=20, stage="translate")
    built("one", "two")
    assert reason(home, "one") == "translates the pairs it can"
    assert reason(home, "two") == "translates the pairs that one cannot"


def test_a_platform_is_said_as_a_person_says_it():
    assert str(Platform(system="Darwin", machine="arm64")) == "Darwin arm64"
    assert str(Platform()) == "any machine"


def web(home, name, *lines, module="workers.engines.x.fetch"):
    """Write the spec of an environment whose program fetches."""
    head = [f'name = "{name}"', 'purpose = "p"', "requirements = []", "worker = false", "optional = true"]
    home.spec(name, "\n".join([*head, *lines, "[programs]", f'fetch = "{module}"']) + "\n")


def test_a_program_is_found_by_what_it_does_in_one_that_is_built_before_another(home, built):
    web(home, "first")
    web(home, "second")
    assert [spec.name for spec, _ in [program_for("fetch", home.root)]] == ["first"]
    built("second")
    spec, module = program_for("fetch", home.root)
    assert (spec.name, module) == ("second", "workers.engines.x.fetch")
    assert reason(home, "second") == "run when it is needed: fetch"
    assert reason(home, "first") == "not built: python3 -m envspecs build first"


def test_a_program_that_no_environment_has_is_refused(home, add):
    add("other")
    web(home, "elsewhere", f"platform = {{ {ELSEWHERE} }}")
    with pytest.raises(UsageError, match="fetch"):
        program_for("fetch", home.root)


@pytest.mark.parametrize("module", ["os", "workers.daemon", "workers.engines", "workers.engines.x:Y", "../x"])
def test_a_program_is_a_module_of_an_engine(home, module):
    web(home, "web", module=module)
    with pytest.raises(SchemaError, match=r"web\.toml\.programs\.fetch"):
        read("web", home.specs)
