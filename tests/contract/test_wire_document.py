"""`docs/protocol.md`, the golden bytes and the code say the same."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from protocol import PROTOCOL_VERSION
from protocol.errors import ErrorInfo, ErrorKind
from protocol.frames import Header, decode, encode
from protocol.messages import MESSAGES, CallIdentity, Hello, Reject
from protocol.stages import STAGES
from protocol.stages.translate import TranslateRequest

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENT = (ROOT / "docs" / "protocol.md").read_text()
GOLDEN = ROOT / "tests" / "golden"


def test_the_document_is_of_the_codes_version() -> None:
    assert re.findall(r"^Version (\d+)\.", DOCUMENT, re.MULTILINE) == [str(PROTOCOL_VERSION)]
    assert f"\n- {PROTOCOL_VERSION}: " in DOCUMENT


def test_the_document_lists_every_message_and_no_other() -> None:
    table = DOCUMENT.partition("## Messages")[2].partition("##")[0]
    assert re.findall(r"^\| ([A-Z]\w+) \|", table, re.MULTILINE) == _order(table)
    assert set(re.findall(r"^\| ([A-Z]\w+) \|", table, re.MULTILINE)) == set(MESSAGES)


def _order(table: str) -> list[str]:
    return sorted(MESSAGES, key=lambda name: table.index(f"| {name} |"))


def test_the_document_names_every_field_of_the_header() -> None:
    sentence = DOCUMENT.partition("Header: ")[2].partition("\n\n")[0]
    assert re.findall(r"`(\w+)`", sentence) == [field.name for field in dataclasses.fields(Header)]


def test_the_bytes_of_this_version_are_frozen() -> None:
    busy = CallIdentity(job="job-20260101-asha-0001", step="asr", attempt=2, run="7")
    hello = Hello(
        worker="whisperx.1.a",
        environment="whisperx",
        pid=1,
        pulse="whisperx.1.a/pulse",
        state="busy",
        busy_with=busy,
    )
    header = Header(run="7", request="r", job="j", step="asr", attempt=2)
    reject = Reject(reason=ErrorInfo(kind=ErrorKind.WIRE, message="Too old.", remedy="make build"))
    for name, message in (("hello", hello), ("reject", reject)):
        frames = encode(type(message).__name__, header, message)
        golden = (GOLDEN / f"{name}.v{PROTOCOL_VERSION}.hex").read_text().split()
        assert [frame.hex() for frame in frames] == golden
        assert decode([bytes.fromhex(frame) for frame in golden]).header == header


def test_stages_are_numbered_in_the_order_of_the_pipeline() -> None:
    folders = [stage.folder for stage in STAGES.values()]
    assert folders == sorted(folders)
    assert STAGES["translate"].request is TranslateRequest
