"""What gateways write down in Kubernetes, as it is read there."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LeaseSeen:
    """One gateway's Lease as the API server shows it. `holder` is empty when it was given back."""

    gateway: str
    holder: str
    version: str                     # changes with each renewal
    duration_seconds: float
