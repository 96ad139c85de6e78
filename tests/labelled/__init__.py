"""Lines with their sentences and words marked by hand: data for tests and benches."""
