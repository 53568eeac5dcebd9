"""What the client tells of its requests has few words, whatever the paths are."""

import pytest
from kube_servers import access

from fairlead.kube.client import RESOURCES, KubeClient, KubeTold, _Call

WORDS = {
    "/apis/fairlead.dev/v1alpha1/namespaces/lab/jobs/sim/status": "jobs/status",
    "/apis/fairlead.dev/v1alpha1/namespaces/lab/jobs/sim": "jobs",
    "/apis/fairlead.dev/v1alpha1/namespaces/status/jobs/status": "jobs",
    "/apis/fairlead.dev/v1alpha1/clusters": "clusters",
    "/api/v1/namespaces/lab/secrets/jobs": "secrets",
    "/api/v1/namespaces/lab": "namespaces",
    "/api/v1/namespaces": "namespaces",
    "/apis/events.k8s.io/v1/namespaces/lab/events": "events",
    "/apis/coordination.k8s.io/v1/namespaces/a/leases/b": "leases",
    "/apis/apps/v1/namespaces/lab/deployments/x": "other",
    "/api/v1/namespaces/lab/pods/jobs/log": "other",
    "/version": "other",
    "/": "other",
}


@pytest.mark.parametrize(("path", "word"), WORDS.items())
def test_a_path_is_told_as_one_of_few_words(path: str, word: str) -> None:
    """A label for each path would be a series for each object."""
    assert _Call("GET", path).resource == word
    assert word in RESOURCES | {f"{each}/status" for each in RESOURCES} | {"other"}


async def test_a_server_that_is_away_is_told_as_unavailable() -> None:
    """An alert on an API server that does not answer would never come."""
    ended: list[tuple[str, str, str]] = []
    told = KubeTold(lambda method, resource, outcome, seconds: ended.append((method, resource, outcome)) if seconds >= 0 else None)
    async with KubeClient(access("http://127.0.0.1:1"), told=told) as client:
        with pytest.raises(Exception, match="no answer"):
            await client.request("PATCH", "/api/v1/namespaces/lab/configmaps/x", body={})
    assert ended == [("PATCH", "configmaps", "unavailable")]
