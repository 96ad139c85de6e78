"""Jobs as messages: what a person submits, what would be done for it, and how far it is."""
