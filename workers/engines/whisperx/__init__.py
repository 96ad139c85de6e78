"""Engines of the environment `whisperx`: Whisper through CTranslate2, with whisperx and faster-whisper."""
