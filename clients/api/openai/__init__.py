"""OpenAI's audio interface: its programs work here unchanged, and a transcription is a job."""
