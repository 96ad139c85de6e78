"""What runs in the environment `cluster`: the bridge on the head, the agent and the relay of each node."""
