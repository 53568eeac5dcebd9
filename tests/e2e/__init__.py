"""The product as people install it: its image, by its chart, in a cluster where pods run.

`place` is where: the bed's own node, a kind cluster, or whatever KUBECONFIG names. `installation` is one release of the chart. Tests of
what the product does, without pods, are elsewhere.
"""
