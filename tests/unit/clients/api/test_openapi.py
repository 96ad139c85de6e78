"""The OpenAPI document says what the server's table of addresses says."""

from __future__ import annotations

import json
import os
import re

import pytest

from clients.api.openapi import openapi_text
from clients.api.routes import ROUTES
from tests.data import ROOT

DOCUMENT = json.loads(openapi_text(ROUTES))


def test_the_document_in_the_docs_is_of_now() -> None:
    path = ROOT / "docs" / "openapi.json"
    if os.environ.get("WRITE_DOCUMENTS") == "1":
        path.write_text(openapi_text(ROUTES))
    assert path.read_text() == openapi_text(ROUTES), "WRITE_DOCUMENTS=1 pytest tests/unit/clients/api"


def test_every_address_is_in_it_with_a_sentence() -> None:
    said = {
        (method.upper(), path): operation["summary"]
        for path, operations in DOCUMENT["paths"].items()
        for method, operation in operations.items()
    }
    assert said.keys() == {(row.method, re.sub(r":\w+", "", row.path)) for row in ROUTES}
    assert all(sentence.endswith((".", ":")) for sentence in said.values())


def test_every_schema_that_it_refers_to_is_there() -> None:
    named = re.findall(r"#/components/schemas/(\w+)", json.dumps(DOCUMENT))
    assert set(named) <= DOCUMENT["components"]["schemas"].keys()


@pytest.mark.parametrize("row", ROUTES, ids=lambda row: f"{row.method} {row.path}")
def test_an_address_that_changes_something_takes_no_get(row) -> None:
    assert row.method in ("GET", "POST", "PUT")
    assert row.method != "GET" or row.body is None
