"""The door: HTTP routes of Maya's own and the middleware that every request and socket passes. No Streamlit."""
