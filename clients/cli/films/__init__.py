"""Commands about films and what was heard in them."""
