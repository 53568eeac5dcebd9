"""Jobs of another namespace than their Cluster's."""

from typing import Any

from product.scene import Scene, Thing


def job_of(team: Scene, scene: Scene, name: str, script: str, **spec: Any) -> Thing:
    """A Job of the team, on the Cluster of the scene; told to end, it is given a second."""
    reference = {"name": "hpc", "namespace": scene.namespace}
    return team.job(name, script, clusterRef=reference, cancellationGracePeriodSeconds=1, **spec)
