"""Glossaries as a person writes them: read from files, found near a film, proposed from what was heard."""
