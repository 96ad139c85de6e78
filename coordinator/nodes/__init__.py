"""The machines of a cluster as the coordinator knows them: who is there, what each has and may be given."""
