"""What every engine that reads or writes text shares: sentences, scripts, transcripts as files."""
