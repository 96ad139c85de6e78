"""The files of `deploy/`: their tools accept them, and they say what the program says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from clients.api.metrics import exposition
from clients.service.units import STOP_S
from envspecs.http.settings import http_settings
from protocol.cluster.health import NodeHealth
from protocol.jobs.figures import StepFigures
from protocol.messages import EnvironmentHealth, FiguresReport, HealthReport, LoadedModel
from tests.contract.source import ROOMS, ROOT

DEPLOY = ROOT / "deploy"
CONTAINERFILE = (DEPLOY / "Containerfile").read_text()
DASHBOARD = json.loads((DEPLOY / "grafana.json").read_text())
COMPOSE = ("compose.yaml", "compose.gpu.yaml")

_METRIC = re.compile(r"\bcpw_\w+")
_SOFTWARE = Path(sys.executable).parent


def _yaml(name: str) -> Any:
    return YAML(typ="safe").load(DEPLOY / name)


def _said(*words: str) -> tuple[int, str]:
    done = subprocess.run(words, cwd=DEPLOY, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def _service() -> dict[str, Any]:
    found: dict[str, Any] = _yaml("compose.yaml")["services"]["cpw"]
    return found


# --- the image ---------------------------------------------------------------------------------------


def test_hadolint_finds_nothing_in_the_image() -> None:
    assert _said(str(_SOFTWARE / "hadolint"), "Containerfile") == (0, "")


def test_the_image_is_made_of_one_plain_python_and_run_by_a_user_id() -> None:
    assert re.findall(r"^FROM (.*)$", CONTAINERFILE, re.MULTILINE) == ["python:3.11-slim"]
    assert re.findall(r"^USER (.*)$", CONTAINERFILE, re.MULTILINE) == ["$UID:$GID"]
    assert re.findall(r"^ARG [UG]ID=(\d+)$", CONTAINERFILE, re.MULTILINE) == ["1000", "1000"]


def test_every_room_comes_into_the_image_and_into_what_the_builder_is_sent() -> None:
    copied = set(re.findall(r"^COPY --chown=\S+ (\S+) \S+$", CONTAINERFILE, re.MULTILINE))
    sent = set(re.findall(r"^!(.*)$", (DEPLOY / "Containerfile.dockerignore").read_text(), re.MULTILINE))
    assert {*ROOMS, "supervisor.py", "pyproject.toml"} == sent
    assert sent <= copied
    # A build links to each room: all must be there before it.
    late = ("coordinator", "clients", "cluster")
    assert {f"{room}/__init__.py" for room in late} == copied - sent


def test_health_is_asked_for_patiently() -> None:
    (check,) = re.findall(r"^HEALTHCHECK (.*)$", CONTAINERFILE, re.MULTILINE)
    assert check.endswith('CMD ["cpw", "health"]')
    assert "--start-period=10m" in check


def test_it_listens_where_the_program_accepts_it() -> None:
    for given in (dict(re.findall(r"(CPW_HTTP\w*)=(\S+)", CONTAINERFILE)), {"CPW_HTTP_HOSTS": "cpw"}):
        settings = http_settings({"CPW_HTTP": _service()["environment"]["CPW_HTTP"], **given})
        assert settings is not None
        assert (settings.host, settings.port, settings.hosts) == ("0.0.0.0", 8765, ("cpw",))


# --- compose -----------------------------------------------------------------------------------------


def test_the_compose_files_keep_to_the_schema_of_compose() -> None:
    tool = str(_SOFTWARE / "check-jsonschema")
    code, said = _said(tool, "--builtin-schema", "vendor.compose-spec", *COMPOSE)
    assert code == 0, said


def test_it_is_published_on_this_machine_alone() -> None:
    assert _service()["ports"] == ["127.0.0.1:8765:8765"]


def test_there_is_time_to_stop_in_order_and_somebody_to_take_in_orphans() -> None:
    assert _service()["stop_grace_period"] == f"{STOP_S}s"
    assert _service()["init"] is True


def test_films_lie_where_they_lie_outside_and_all_else_in_volumes() -> None:
    films = _service()["environment"]["CPW_MEDIA"]
    volumes: list[str] = _service()["volumes"]
    assert f"{films}:{films}" in volumes
    named = dict(volume.split(":") for volume in volumes if volume != f"{films}:{films}")
    assert named.keys() == _yaml("compose.yaml")["volumes"].keys()
    inside = re.findall(r"^    CPW_(?:MODELS|OUT|STATE)=(\S+)", CONTAINERFILE, re.MULTILINE)
    assert set(named.values()) == set(inside)


def test_a_gpu_is_reserved_by_a_file_of_its_own() -> None:
    assert "deploy" not in _service()
    service = _yaml("compose.gpu.yaml")["services"]["cpw"]
    (device,) = service["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])


# --- who watches it ----------------------------------------------------------------------------------


def _given() -> dict[str, set[str]]:
    """Return the names of samples that `/metrics` gives, each with its labels."""
    model = LoadedModel(key="whisper:base@cpu/int8", loads=1, load_ms=1, bytes=1, device="cpu")
    worker = EnvironmentHealth(
        environment="x", built=True, optional=False, stages=(), state="ready", usable=True, echo_ms=1,
        models=(model,),
    )  # fmt: skip
    health = HealthReport(
        healthy=True, run="", pid=1, uptime_ms=1, environments=(worker,), jobs_running=0, jobs_queued=0,
        nodes=(NodeHealth(name="box", standing="present", free_disk_bytes=1),),
    )  # fmt: skip
    step = StepFigures(stage="asr", environment="x", ended={"done": 1}, attempts={"done": 1})
    text, _ = exposition(FiguresReport(health=health, jobs={"done": 1}, steps=(step,)), {}, "")
    return {
        sample.name: set(sample.labels)
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_the_document_lists_every_metric_with_its_labels_and_no_other() -> None:
    section = (ROOT / "docs" / "http.md").read_text().partition("\n## Figures\n")[2].partition("\n## ")[0]
    told: dict[str, set[str]] = {}
    for names, labels in re.findall(r"^\| (`cpw_.*?) \| (.*?) ?\|", section, re.MULTILINE):
        told |= {name: set(re.findall(r"`(\w+)`", labels)) for name in re.findall(r"`(\w+)`", names)}
    given = {
        name.removesuffix("_bucket"): labels - {"le"}
        for name, labels in _given().items()
        if name not in ("cpw_step_seconds_sum", "cpw_step_seconds_count")
    }
    assert told == given


def _expressions() -> list[str]:
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def test_the_dashboard_shows_metrics_that_are_given() -> None:
    given = _given()
    shown = set(_METRIC.findall(json.dumps(DASHBOARD)))
    assert shown - given.keys() == set()
    assert len(shown) > 15


@pytest.mark.parametrize("expression", _expressions())
def test_an_expression_uses_labels_that_its_metrics_have(expression: str) -> None:
    names = _METRIC.findall(expression)
    # Prometheus itself adds `job` and `instance`.
    known = set.union({"job", "instance"}, *(_given()[name] for name in names))
    grouped = re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", expression)))
    chosen = re.findall(r"(\w+)(?:=~|!=|=)\"", expression)
    assert set(grouped + chosen) <= known
    assert expression.count("(") == expression.count(")")


def test_the_dashboard_can_be_imported() -> None:
    (source,) = DASHBOARD["__inputs"]
    assert (source["name"], source["type"], source["pluginId"]) == (
        "DS_PROMETHEUS",
        "datasource",
        "prometheus",
    )
    assert DASHBOARD["id"] is None
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert {panel["datasource"]["uid"] for panel in panels} == {"${DS_PROMETHEUS}"}
    needed = {entry["id"] for entry in DASHBOARD["__requires"] if entry["type"] == "panel"}
    assert {panel["type"] for panel in panels} == needed


def test_no_panel_covers_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert max(x for x, _ in cells) < 24
        assert not taken & cells, panel["title"]
        taken |= cells


def test_prometheus_asks_by_a_name_that_is_let_in() -> None:
    (scrape,) = _yaml("prometheus.yaml")["scrape_configs"]
    (targets,) = [part["targets"] for part in scrape["static_configs"]]
    assert targets == ["cpw:8765"]
    assert (scrape["metrics_path"], scrape["authorization"]["type"]) == ("/metrics", "Bearer")


def test_no_file_names_a_registry() -> None:
    for path in DEPLOY.iterdir():
        assert not re.search(r"\b[\w-]+\.(?:io|com|org|dev)\b", path.read_text()), path.name
