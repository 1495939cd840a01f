"""What Maya is measured beside. The peers themselves live in `.venv-peers` (`make bench-peers`)."""
