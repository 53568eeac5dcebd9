"""A Cluster object as its sites have it: its record, our hold on it, what is reported on it, its logins, and the tree that goes with it."""
