"""Films from web addresses: fetched before they are submitted, because a job's film is a file."""
