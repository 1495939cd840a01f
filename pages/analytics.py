"""The analytics page."""

from maya_core.ui import boundary, runtime
from maya_core.ui.analytics_page import analytics_page

user = runtime.require_user()
boundary.show(lambda: analytics_page(runtime.current(), user), key="page")
