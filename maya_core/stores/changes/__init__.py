"""What people changed in their memory, one row for each change, in the transcripts' database."""
