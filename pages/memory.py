"""The memory page."""

from maya_core.ui import boundary, runtime
from maya_core.ui.memory_page import memory_page

user = runtime.require_user()
boundary.show(lambda: memory_page(runtime.current(), user), key="page")
