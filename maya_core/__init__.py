"""Maya: an internal assistant whose memory and reliability can be opened and inspected.

Importing this package opens nothing: no file, no socket, no environment.
"""
