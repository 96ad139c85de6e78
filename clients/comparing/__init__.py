"""What `cpw compare` finds in two jobs or two subtitle files; the command itself only shows it."""
