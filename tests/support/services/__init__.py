"""Real servers on 127.0.0.1 for the contract tests: `python -m tests.support.services start|stop|status`.

Standard library only, so that it runs before anything is installed. docs/services.md says what each server can do.
"""
