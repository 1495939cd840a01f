"""Conversations and turns. `turn` is the request path: read it first."""
