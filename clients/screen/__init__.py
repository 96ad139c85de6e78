"""What a person sees: text, tables, progress. Only `report` writes to the terminal."""
