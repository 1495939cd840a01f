"""The chat page."""

from maya_core.ui import boundary, runtime
from maya_core.ui.chat_page import chat_page

user = runtime.require_user()
boundary.show(lambda: chat_page(runtime.current(), user), key="page")
