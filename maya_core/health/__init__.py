"""How Maya is: what is measured, kept, shown and controlled about providers, stores and workers."""
