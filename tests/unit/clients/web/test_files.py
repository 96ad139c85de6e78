"""The files of the page, and what can be chosen on it."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from starlette.requests import Request

import clients.web
from clients.api import pages
from clients.api.answers import HttpProblem
from clients.web.files import PAGE, find_file
from clients.web.options import options
from protocol.schema import from_plain, to_plain
from protocol.stages.subtitle import SubtitleRequest

ASSETS = Path(clients.web.__file__).parent / "assets"
NAMES = sorted(path.name for path in ASSETS.iterdir())
TEXTS = {path.name: path.read_text() for path in ASSETS.iterdir()}


def asked(name: str, **headers: str) -> Request:
    sent = [(key.replace("_", "-").encode(), value.encode()) for key, value in headers.items()]
    return Request({"type": "http", "method": "GET", "headers": sent, "path_params": {"name": name}})


@pytest.mark.parametrize("name", NAMES)
def test_every_file_is_sent_with_its_type_and_not_a_second_time(name):
    first = asyncio.run(pages.asset(asked(name)))
    kinds = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}
    assert first.headers["content-type"].partition(";")[0] == kinds[Path(name).suffix]
    assert first.headers["cache-control"] == "private, no-cache"
    again = asyncio.run(pages.asset(asked(name, if_none_match=first.headers["etag"])))
    assert (again.status_code, again.body) == (304, b"")


@pytest.mark.parametrize("name", ["..", ".", "", "../files.py", "/etc/passwd", "none.js", "page.css\0"])
def test_what_is_no_file_of_the_page_is_not_found(name):
    with pytest.raises(HttpProblem, match="no such file"):
        asyncio.run(pages.asset(asked(name)))


def test_the_page_asks_for_what_there_is_and_of_nobody_else():
    for name, text in TEXTS.items():
        wanted = set(re.findall(r'["(]/assets/([\w.]+)', text))
        assert wanted <= set(NAMES), name
        foreign = set(re.findall(r"https?://[^\s\"')]+", text)) - {"http://www.w3.org/2000/svg"}
        assert foreign == set(), name
    scripts = {name for name in NAMES if name.endswith(".js") and not name.startswith("review")}
    assert scripts == set(re.findall(r"/assets/(\w+\.js)", TEXTS[PAGE])), "all are asked for at once"
    found = find_file(PAGE)
    assert found is not None
    assert found.content.decode() == TEXTS[PAGE]


def test_nothing_from_outside_can_become_markup_or_a_script():
    for name, text in TEXTS.items():
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "DOMParser"):
            assert way not in text, (name, way)
    assert re.findall(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", TEXTS[PAGE]) == []


def test_options_are_those_of_the_rows():
    found = options([Path("/films")])
    assert [flow.name for flow in found.workflows if flow.targets] == ["translate", "subtitle"]
    assert {"srt", "vtt", "ass", "ttml"} <= {row.name for row in found.formats}
    assert "ssa" not in {row.name for row in found.formats}
    assert ("de", "German") in [(language.code, language.name) for language in found.languages]
    assert found.media == ("/films",)
    assert from_plain(type(found), to_plain(found)) == found
    for profile in found.profiles:
        assert SubtitleRequest.__dataclass_fields__["profile"].default in found.profiles
        assert profile.isalnum()
