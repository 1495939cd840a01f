"""The history of calls to models, hour by hour."""
