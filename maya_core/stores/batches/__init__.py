"""Consolidation in the transcripts' database: batch rows, leases, watermarks. What makes memory repeatable."""
