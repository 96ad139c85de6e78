"""A translator that asks a service needs no model of the store, and the service must be named."""

from __future__ import annotations

import pytest

import envspecs
from coordinator.plan import PlannedStep
from coordinator.planning.assignments import services, told_outside
from coordinator.planning.inventory import Inventory
from envspecs.models.registry import read_registry
from envspecs.spec import parse
from protocol.errors import MissingError, UsageError
from protocol.hardware import Hardware
from protocol.jobs.addresses import host_of, is_this_machine
from protocol.messages import Submit

ADDRESS, MODEL = "CPW_ORACLE", "CPW_ORACLE_MODEL"
ORACLE = parse(
    "oracle",
    f"""
name = "oracle"
purpose = "Translations by a service"
requirements = ["pyzmq>=27"]
optional = true
service = {{ address = "{ADDRESS}", model = "{MODEL}" }}
[stages]
translate = {{ engine = "workers.engines.bergamot.translate:BergamotTranslate", rank = 60 }}
""",
)


@pytest.fixture
def here() -> Inventory:
    specs = {spec.name: spec for spec in envspecs.read_all() if not spec.copied_from and spec.service is None}
    registry = read_registry()
    return Inventory(
        specs=specs | {"oracle": ORACLE},
        registry=registry,
        hardware=Hardware(platform="Linux", machine="x86_64", ram_bytes=1 << 33),
        _built=dict.fromkeys((*specs, "oracle"), True),
        _stored={model: model == "bergamot-en-pt" for model in registry},
    )


def submit(*, named: bool = False, model: str = "") -> Submit:
    return Submit(
        media="/film.mkv",
        workflow="translate",
        user="u",
        out="/out",
        environments={"translate": "oracle"} if named else {},
        parameters={"translate": {"model": model}} if model else {},
    )


def test_a_service_that_is_named_translates_what_nobody_else_does(here, monkeypatch) -> None:
    monkeypatch.setenv(ADDRESS, "http://127.0.0.1:1/v1")
    route = services(submit(), here).route("en", "ta")
    assert (route.environment, route.model) == ("oracle", "endpoint")
    assert services(submit(), here).route("en", "pt").environment == "bergamot"


def test_a_person_names_the_environment_the_model_or_both(here, monkeypatch) -> None:
    monkeypatch.setenv(ADDRESS, "http://127.0.0.1:1/v1")
    monkeypatch.setenv(MODEL, "seer")
    assert services(submit(named=True), here).route("en", "pt").model == "seer"
    named = services(submit(named=True, model="of-my-own"), here).route("en", "pt")
    assert (named.environment, named.model) == ("oracle", "of-my-own")
    with pytest.raises(UsageError, match="cannot translate in oracle"):
        services(submit(named=True, model="bergamot-en-pt"), here).route("en", "pt")


def test_without_its_address_the_remedy_says_what_to_set(here) -> None:
    with pytest.raises(MissingError) as refused:
        services(submit(named=True), here).route("en", "ta")
    assert refused.value.remedy == f"export {ADDRESS}=ADDRESS && cpw down && cpw up"


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://llm.example.org/v1", "llm.example.org"),
        ("http://user:secret@10.0.0.7:8080/v1", "10.0.0.7:8080"),
        ("http://127.0.0.1:11434/v1", ""),
        ("http://localhost:11434/v1", ""),
        ("http://[::1]:11434/v1", ""),
    ],
)
def test_a_person_is_told_to_which_machine_the_text_goes(here, monkeypatch, address, host) -> None:
    monkeypatch.setenv(ADDRESS, address)
    step = PlannedStep(
        name="translate-ta", stage="translate", environment="oracle", target="ta", needs=(), after=()
    )
    said = f"The text of the subtitles leaves this machine: oracle sends it to {host}."
    assert told_outside([step], here) == ((said,) if host else ())
    assert is_this_machine(address) == (not host)
    assert host_of(address).endswith(host)
