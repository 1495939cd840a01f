"""The main script: every page runs through here. Its folder has no `pages/` beside it, on purpose.

Streamlit serves a `pages/` folder next to the main script without this script until navigation has run once.
"""

import streamlit as st

from maya_core.settings import ROOT
from maya_core.ui import boundary, navigation, runtime
from maya_core.ui.sidebar import sidebar
from maya_core.ui.view import ASSETS, frame

st.set_page_config(
    page_title="Maya", page_icon=str(ASSETS / "maya.png"), layout="centered", initial_sidebar_state="auto"
)
frame()
navigation.moved()  # this run draws everything anyway
user = runtime.require_user()
page = st.navigation([st.Page(ROOT / "pages" / "chat.py", title="Maya", default=True)], position="hidden")
boundary.show(lambda: sidebar(runtime.current(), user), key="sidebar")
page.run()
