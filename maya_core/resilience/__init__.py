"""Knowing when not to ask: breakers, holds and pauses, shared by all processes."""
