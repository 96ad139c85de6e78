"""A node's part of the wire: moves messages between its workers and the head's coordinator."""
