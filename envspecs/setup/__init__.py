"""Which models this machine should have: chosen, pinned, graded, fetched."""
