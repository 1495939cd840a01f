"""Semantic memory: vectors of episodes, summaries and facts, found by meaning."""
