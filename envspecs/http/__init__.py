"""What a person sets for the HTTP server and for what calls it."""
