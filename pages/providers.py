"""The providers page."""

from maya_core.ui import boundary, runtime
from maya_core.ui.health_page import health_page

user = runtime.require_user()
boundary.show(lambda: health_page(runtime.current(), user), key="page")
