"""In which language a text is: what a model of letters says of it, held to what it should be in."""
