"""Jobs over HTTP: what the shell can do with them, their files, their changes, their review."""
