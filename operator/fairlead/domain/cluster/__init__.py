"""A Cluster: what it is, which hosts it has, who may use it, how it is logged in to, and what its status says."""
