"""The Kubernetes API as Fairlead needs it: reads, compare-and-set writes, the Lease, the ledger. No watches: those are kopf's.

Here belong how to reach the API server (`kubeconfig`, `tokens`, `client`), how its answers become our errors (`faults`), and each
kind of thing we keep there: our objects (`store`), Events (`events`), what objects refer to (`references`), leadership (`lease`), the
installation's name (`installation`) and what is owed to unreachable clusters (`ledger`).

Here belong no decisions and no loops but the Lease's own: what to write, and when, is the engine's.
"""
