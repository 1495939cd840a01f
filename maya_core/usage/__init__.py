"""What calls to models cost, how many more there may be, and what is done with Maya, in figures."""
