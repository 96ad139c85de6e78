"""What voices are called."""
