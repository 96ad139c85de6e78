"""What every environment's interpreter runs: the daemon around the engines."""
