"""Who is let in: keys, names and pages that ask, and the paths that they may name."""
