"""What head and nodes of a cluster say to each other: messages, names and places."""
