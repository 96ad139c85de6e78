"""The daemon: it takes jobs in, plans them, and gives their steps to workers."""
