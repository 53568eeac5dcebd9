"""What outlives an object: the Runs that it has left, what is still owed for it on a cluster, and whether a sweep may clean up there."""
