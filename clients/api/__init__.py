"""The HTTP server: programs and browsers ask it, and it asks the coordinator over the socket `c`."""
