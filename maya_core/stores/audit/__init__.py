"""The audit table: what people did with the powers of an admin."""
