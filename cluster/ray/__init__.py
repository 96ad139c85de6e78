"""What asks Ray, and what runs in it: the only folder that imports it."""
