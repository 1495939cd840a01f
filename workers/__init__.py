"""Background work: RQ workers over the same container as the app. `python -m workers` starts one."""
