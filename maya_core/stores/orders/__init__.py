"""Standing orders that all processes share."""
