"""Web hooks: media servers say that a film came, and somebody is told when a job ends."""
