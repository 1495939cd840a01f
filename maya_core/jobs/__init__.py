"""Background work: a wake-up call by name and ids. What is pending stands in the database, not in the queue."""
