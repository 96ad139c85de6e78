"""Engines keep the names that the keys of finished steps know, wherever their modules lie."""

from __future__ import annotations

import envspecs

KEY_NAMES = {
    ("bergamot", "translate"): "workers.engines.bergamot.translate:BergamotTranslate",
    ("common", "demux"): "workers.engines.common.demux:FfmpegDemux",
    ("common", "clean"): "workers.engines.common.clean:TranscriptClean",
    ("common", "subtitle"): "workers.engines.common.subtitle:CueSubtitle",
    ("common", "mux"): "workers.engines.common.mux:FfmpegMux",
    ("demucs", "separate"): "workers.engines.demucs.separate:DemucsSeparate",
    ("indictrans2", "translate"): "workers.engines.indictrans2.translate:IndicTransTranslate",
    ("madlad", "translate"): "workers.engines.madlad.translate:MadladTranslate",
    ("mlx", "asr"): "workers.engines.mlx.asr:MlxAsr",
    ("nllb", "translate"): "workers.engines.nllb.translate:NllbTranslate",
    ("pyannote", "vad"): "workers.engines.pyannote.vad:PyannoteVad",
    ("spleeter", "separate"): "workers.engines.spleeter.separate:SpleeterSeparate",
    ("whisperx", "asr"): "workers.engines.whisperx.asr:WhisperxAsr",
    ("whisperx", "align"): "workers.engines.whisperx.align:WhisperAlign",
    ("whisperx", "translate"): "workers.engines.whisperx.translate:WhisperTranslate",
}
"""As people's job stores have them: were a name to change, their finished work would be done again."""


def test_the_keys_of_finished_steps_name_engines_as_they_always_did() -> None:
    names = {
        (spec.name, stage): engine.key_name
        for spec in envspecs.read_all()
        if not spec.copied_from
        for stage, engine in spec.stages.items()
    }
    assert {place: names.get(place) for place in KEY_NAMES} == KEY_NAMES
