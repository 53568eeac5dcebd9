"""What RBAC grants to whom. An API server learns of a new role by a watch: a moment after it was made it refuses yet."""

from bed.controlplane import ControlPlane
from bed.existing import ExistingControlPlane
from product.waiting import until


def is_granted(plane: ControlPlane | ExistingControlPlane, user: str, verb: str, resource: str, namespace: str) -> bool:
    """Whether a user may do this in a namespace; `resource` as kubectl takes it, such as `jobs.fairlead.dev` or `secrets/hpc-key`."""
    return plane.kubectl("auth", "can-i", verb, resource, f"--namespace={namespace}", f"--as={user}", check=False).returncode == 0


def until_granted(plane: ControlPlane | ExistingControlPlane, user: str, verb: str, *resources: str, namespace: str) -> None:
    """Until the user may do this with all of them."""
    until(lambda: all(is_granted(plane, user, verb, each, namespace) for each in resources), f"the right to {verb} {', '.join(resources)}")
