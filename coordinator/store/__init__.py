"""What the coordinator keeps: the job store, its backups, and the job folders."""
