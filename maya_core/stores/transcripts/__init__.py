"""Every word of every conversation: the source of truth."""
