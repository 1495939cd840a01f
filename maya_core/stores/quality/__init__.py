"""Daily figures of memory's quality, in the transcripts' database."""
