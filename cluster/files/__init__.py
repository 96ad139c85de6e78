"""The files of a node's calls: shared with the head, or fetched from its HTTP server and sent back there."""
