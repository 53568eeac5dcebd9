"""One login or host of a Cluster: its loop, its connection, its polls, its lanes, and our hold on the Cluster for it."""
