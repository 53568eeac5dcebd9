"""The way to one login node or bare host, and what goes over it: the connection's state, lanes, exchanges, and what brings news early."""
