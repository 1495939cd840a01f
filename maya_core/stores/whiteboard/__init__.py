"""What is on the team's mind right now: fast, shared between processes, and allowed to vanish."""
