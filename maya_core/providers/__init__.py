"""Model providers: one port, an adapter per vendor, and the chain that survives them."""
