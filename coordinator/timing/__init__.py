"""How long things take: rates measured here, the courses of running calls, the time that is left."""
