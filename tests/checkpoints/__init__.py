"""Small checkpoints of the real shape, made where weights cannot be had. They show no quality."""
