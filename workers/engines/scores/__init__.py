"""The program of the environment `scores`: how near two texts, or two subtitle files, are."""
