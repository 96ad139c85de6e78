"""Where sentences end, by language: one rule for cutting, timing, translating and checking."""
