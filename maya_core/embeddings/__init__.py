"""Text to vectors: one port, a model that runs anywhere, and vendors behind the same port."""
