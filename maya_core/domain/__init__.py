"""What Maya talks about, as frozen values and pure rules. Standard library only; no I/O lives here."""
