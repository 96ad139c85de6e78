"""The head's process between Ray and the coordinator: a connection a node, and whose frames go over it."""
