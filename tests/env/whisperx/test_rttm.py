"""Who speaks when, written as RTTM, is read by pyannote.database, as programs that score it do."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

import envspecs
from protocol.timeline import Segment, Speaker, Transcript, Word
from workers.engines.common.cues.profiles import rules_for
from workers.engines.common.tracks import cut_track

pytestmark = [pytest.mark.env("whisperx"), pytest.mark.slow]

READ = """
import json, sys
from pyannote.database.util import load_rttm
print(json.dumps({
    title: [[turn.start, turn.end, name] for turn, _, name in found.itertracks(yield_label=True)]
    for title, found in load_rttm(sys.argv[1]).items()
}))
"""


def test_pyannote_reads_who_speaks_when(tmp_path: Path) -> None:
    words = tuple(
        Word(text=text, start_ms=start, end_ms=start + 500, speaker=speaker)
        for speaker, start, text in (("1", 1_000, "Are"), ("1", 1_600, "you?"), ("2", 2_200, "Yes."))
    )
    said = Transcript(
        language="en",
        segments=(Segment(start_ms=1_000, end_ms=2_700, text="Are you? Yes.", words=words),),
        speakers=(Speaker(id="1", name="Gabbar Singh"), Speaker(id="2")),
    )
    made = cut_track(said, rules_for("netflix", "en"), profile="netflix", provenance={"title": "A film"})
    (tmp_path / "a.rttm").write_bytes(made.write("rttm"))
    command = [str(envspecs.interpreter("whisperx")), "-I", "-c", READ, str(tmp_path / "a.rttm")]
    read = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    assert json.loads(read) == {
        "A_film": [[1.0, 2.1, "Gabbar_Singh"], [2.2, 2.7, "Speaker_2"]],
    }
