"""The screens. Only this package and `pages/` know Streamlit."""
