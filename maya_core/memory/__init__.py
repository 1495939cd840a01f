"""What Maya remembers: recalling, extracting, deciding, forgetting."""
