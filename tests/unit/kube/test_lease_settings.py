"""A Lease that ends between two renewals would make the controller stop and start for ever."""

import pytest

from fairlead.kube.lease import LeaseSettings


@pytest.mark.parametrize(("renew_interval_seconds", "margin_seconds"), [(15.0, 0.0), (12.0, 3.0), (1.0, 14.0)])
def test_a_lease_must_outlast_its_renewal(renew_interval_seconds: float, margin_seconds: float) -> None:
    with pytest.raises(ValueError, match="must last longer"):
        LeaseSettings("default", "leader", 15, renew_interval_seconds, margin_seconds)


def test_the_defaults_leave_time_for_two_renewals() -> None:
    settings = LeaseSettings("default")
    assert 2 * settings.renew_interval_seconds + settings.margin_seconds < settings.duration_seconds
