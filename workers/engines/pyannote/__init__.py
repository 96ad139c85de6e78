"""Engine of the environment `pyannote`: voice activity, by pyannote.audio or silero."""
