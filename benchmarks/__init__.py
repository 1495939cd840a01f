"""Measurements of Maya, each beside its baseline or peer in the same run. Nothing here passes or fails."""
