"""Starting, joining and leaving a cluster: what is checked, and what is asked of one that runs."""
