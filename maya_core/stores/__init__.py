"""The stores: a port each, and the adapters behind it. `factory` alone decides which backend is used."""
