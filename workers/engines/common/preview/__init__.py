"""One HTML page to look at a job with."""
