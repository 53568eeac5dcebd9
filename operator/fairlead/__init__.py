"""Fairlead: jobs on remote GPU clusters, driven from Kubernetes over nothing but SSH.

Two promises decide every design question. *Once*: what was applied happens exactly once. *Nothing left*: nothing outlives its resource.
Imports point one way: `cli`, `app`, `handlers`, `engine`, then `ssh`, `kube`, `telemetry` and `web` side by side, `schedulers`, `domain`,
`api`.
"""
