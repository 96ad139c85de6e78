"""A sound file becomes a job, and its transcript an answer: what the interfaces of others share."""
