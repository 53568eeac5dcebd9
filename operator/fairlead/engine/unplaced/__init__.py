"""Jobs that no site has: those without a Cluster that takes them, and those that wait for a bare host."""
