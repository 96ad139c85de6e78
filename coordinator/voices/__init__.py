"""What the voices of films are called: for a job, and for the films of a series after it."""
