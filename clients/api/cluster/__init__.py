"""What the nodes of a cluster ask the head for: files of jobs and models, and what their calls have made."""
