"""How messages travel inside Ray's calls: parcels, what waits for the next one, and a node's end of it."""
