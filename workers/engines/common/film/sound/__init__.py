"""The film's sound: which track, which channels, on the film's clock."""
