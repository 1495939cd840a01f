"""The main script: every page runs through here. Its folder has no `pages/` beside it, on purpose.

Streamlit serves a `pages/` folder next to the main script without this script until navigation has run once.
"""

import streamlit as st

from maya_core.settings import ROOT
from maya_core.ui import attempts, boundary, navigation, runtime
from maya_core.ui.drill_banner import drill_banner
from maya_core.ui.places import CHAT, PLACES
from maya_core.ui.sidebar import sidebar
from maya_core.ui.view import ASSETS, frame

st.set_page_config(
    page_title="Maya", page_icon=str(ASSETS / "maya.png"), layout="centered", initial_sidebar_state="auto"
)
frame()
navigation.moved()  # this run draws everything anyway
user = runtime.require_user()
pages = {CHAT: st.Page(ROOT / "pages" / "chat.py", title="Maya", default=True)}
pages |= {
    place.name: st.Page(ROOT / "pages" / f"{place.name}.py", title=place.title, url_path=place.name) for place in PLACES
}
page = st.navigation(list(pages.values()), position="hidden")
navigation.go_on(pages, page)
boundary.show(lambda: drill_banner(runtime.current(), user), key="drill")
page_first = attempts.checking()  # the list of chats may wait for the very store that does not answer
if page_first:
    page.run()
boundary.show(lambda: sidebar(runtime.current(), user, at=page.url_path or CHAT), key="sidebar")
if not page_first:
    page.run()
