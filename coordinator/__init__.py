"""Jobs, plans, schedule and store; the commands a person types."""
