"""A way to a server of a test, without a kubeconfig."""

from kubernetes.aio.client import ApiClient, Configuration

from fairlead.kube.kubeconfig import Access


def access(url: str, token: str | None = None) -> Access:
    """To `url`, with a token that never changes."""
    return Access(ApiClient(Configuration(host=url, api_key={"BearerToken": f"Bearer {token}"} if token else None)))
