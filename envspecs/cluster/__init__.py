"""What a person sets for a cluster of machines: the role of this one, its addresses, its shares."""
