"""What tests of metrics, alerts and dashboards share."""

import pytest

from bed.prometheus import Prometheus
from bed.state import Bed


@pytest.fixture(scope="session")
def prometheus(bed: Bed) -> Prometheus:
    """Prometheus' own programs."""
    return Prometheus.get(bed)
