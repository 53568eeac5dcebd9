"""Every string and number that must not change between releases, in one place.

They are written into users' clusters: changing one would orphan what an earlier release has left there.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

GROUP: Final = "fairlead.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
CATEGORY: Final = "fairlead"

CLUSTER_KIND: Final = "Cluster"
CLUSTER_PLURAL: Final = "clusters"
CLUSTER_SINGULAR: Final = "cluster"
CLUSTER_SHORT: Final = "flc"

JOB_KIND: Final = "Job"
JOB_PLURAL: Final = "jobs"
JOB_SINGULAR: Final = "job"
JOB_SHORT: Final = "flj"

SESSION_KIND: Final = "Session"
SESSION_PLURAL: Final = "sessions"
SESSION_SINGULAR: Final = "session"
SESSION_SHORT: Final = "fls"

FINALIZER: Final = f"{GROUP}/remote-run"
"""On a Job: its first attempt may be on a cluster. On a Cluster: Jobs may still run there."""
FINISHED_LABEL: Final = f"{GROUP}/finished"
FINISHED_VALUE: Final = "true"
"""A Job with this label has ended for good; the controller's watch leaves it out."""
FINISHED_SELECTOR: Final = f"{FINISHED_LABEL}={FINISHED_VALUE}"
UNFINISHED_SELECTOR: Final = f"{FINISHED_LABEL}!={FINISHED_VALUE}"
FORGIVE_DEBTS_ANNOTATION: Final = f"{GROUP}/forgive-debts"
"""On a Cluster, with the value "true": what is still owed there is given up, so that the Cluster can be deleted."""
AGREE_TO_SWEEP_ANNOTATION: Final = f"{GROUP}/agree-to-sweep"
"""On a Cluster, with a number: a person agrees that so many Runs, at most, have lost their objects and are cleaned up. It counts once."""
HOST_ANNOTATION: Final = f"{GROUP}/host"
"""On a Job, written with the finalizer: on which of its Cluster's bare hosts it runs. Part of the intent: it is never changed."""
SUSPENDED_ANNOTATION: Final = f"{GROUP}/suspended-by-uninstall"
"""On a Job, with the value "true": it was `fairlead uninstall` that set spec.suspend, and no person."""
FIELD_MANAGER: Final = "fairlead"
LEASE_NAME: Final = "fairlead-controller"
INSTALLATION_CONFIG_MAP: Final = "fairlead-installation"
INSTALLATION_SECRET: Final = "fairlead-installation"  # noqa: S105  the name of an object
"""By what the controller knows its own words again at the far end, in the field `proof-key`; beside the ConfigMap of that name."""
PROOF_KEY_FIELD: Final = "proof-key"
LEDGER_CONFIG_MAP: Final = "fairlead-ledger"
"""Begin of the names of the ConfigMaps that hold what is owed, one for each namespace whose name follows."""
LEDGER_LABEL: Final = f"{GROUP}/ledger-of"
"""On each of them, with that namespace."""

PRIVATE_KEY_FIELD: Final = "ssh-privatekey"
"""The same field name as in Secrets of type kubernetes.io/ssh-auth."""
CERTIFICATE_FIELD: Final = "certificate"
USERNAME_FIELD: Final = "username"
"""The login name, in the Secret of a namespace that has credentials of its own on a Cluster of another."""
PASSPHRASE_FIELD: Final = "passphrase"  # noqa: S105  the name of a field
KNOWN_HOSTS_FIELD: Final = "known_hosts"

GATEWAY_MANAGER: Final = f"gateway.{GROUP}"
"""What a gateway writes into the label endpointslice.kubernetes.io/managed-by of its EndpointSlices: a label's value may hold no slash."""
TUNNEL_STATE_ANNOTATION: Final = f"{GROUP}/tunnel-state"
"""On an EndpointSlice of a gateway: how far it has come on the way to the process (Opening, Open, Broken)."""
TUNNEL_MESSAGE_ANNOTATION: Final = f"{GROUP}/tunnel-message"
"""On it: why it is not open, or why nobody is sent there yet, in a sentence."""
PROCESS_STATE_ANNOTATION: Final = f"{GROUP}/process-state"
"""On it: whether the process answers as application.readiness says (Ready, NotReady)."""
QUIET_ANNOTATION: Final = f"{GROUP}/quiet"
"""On it: since when nothing was carried for clients, and when that was written, by the gateway's clock (TIME/TIME). Not there while
something is carried, and while that is not known."""
GATEWAY_ANNOTATION: Final = f"{GROUP}/gateway"
"""On it: which gateway has written it."""
GATEWAY_ADDRESS_ANNOTATION: Final = f"{GROUP}/gateway-address"
"""On a gateway's Lease: on which address it is reached."""
GATEWAY_LEASE: Final = "fairlead-gateway-"
"""Begin of the names of the gateways' Leases, which a gateway's own name follows."""
GATEWAY_PORTS: Final = (20000, 20999)
"""The ports on which a gateway takes clients, if it is not told other ones."""
RUN_KEY_ANNOTATION: Final = f"{GROUP}/run-key"
"""On an EndpointSlice of a gateway: which Run it leads to."""

TOKEN_VARIABLE: Final = "FAIRLEAD_TOKEN"  # noqa: S105  the name of a variable
"""In which a Session's process finds its token."""
JUPYTER_TOKEN_VARIABLE: Final = "JUPYTER_TOKEN"  # noqa: S105  the name of a variable
"""In which Jupyter looks for it."""
TOKEN_KEY: Final = "token"  # noqa: S105  the name of a field
"""The field of a Session's own Secret that holds it."""

DEFAULT_WORK_DIR: Final = "~/.fairlead"
DEFAULT_OUTPUT: Final = "%x-%j.out"
"""A Job's output file in its working directory when it names none: job name, Slurm's id."""
REMOTE_LAYOUT: Final = 1
"""Version of the run directories on a cluster."""


class WrapperExit(IntEnum):
    """Exit codes with which the run wrapper says that it did not start the user's script."""

    CLAIM_LOST = 121
    REQUEUE_NOT_ALLOWED = 122
    ENVIRONMENT = 123
    OUTPUT = 124
