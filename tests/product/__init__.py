"""The product on the bed: the controller as a process of its own, and the manifests that tie a bed's cluster to it."""
