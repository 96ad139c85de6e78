"""The house as a service: what systemd and launchd are told, and how they are asked."""
