"""What people asked to have forgotten, and removing it from the transcripts' database."""
