"""Complete lists of our objects, over all namespaces that are watched.

A namespace that is named and may not be listed, such as one whose Role went with it, keeps the others from nothing: it is told once and
passed over, and what is known of it is left as it is.
"""

from collections.abc import AsyncIterator, Iterator

import structlog

from fairlead.api.v1alpha1 import names
from fairlead.domain.errors import Forbidden
from fairlead.domain.scope import EVERYWHERE, Scope
from fairlead.kube.client import JsonObject, KubeClient, path_of

log = structlog.get_logger()


class Lists:
    """Lists of one installation. `dark` are the namespaces that could not be listed when that was last tried."""

    def __init__(self, client: KubeClient, scope: Scope = EVERYWHERE) -> None:
        self._client = client
        self.scope = scope
        self.dark: set[str] = set()

    async def metadata(self, plural: str, selector: str, page_size: int, fields: str = "") -> list[JsonObject]:
        """The metadata of all objects that the selectors match. Raises `Unavailable`."""
        found: list[JsonObject] = []
        for namespace, path in self._paths(plural):
            try:
                found += await self._client.list_metadata(path, selector, page_size, fields, of_all=True)
                self._seen(namespace)
            except Forbidden as error:
                self._passed_over(namespace, error)
        return found

    async def objects(self, plural: str, selector: str, page_size: int, fields: str = "") -> AsyncIterator[JsonObject]:
        """All objects that the selectors match, whole; also some of a namespace that turns out to be dark. Raises `Unavailable`."""
        for namespace, path in self._paths(plural):
            try:
                async for each in self._client.objects(path, selector, page_size, fields, of_all=True):
                    yield each
                self._seen(namespace)
            except Forbidden as error:
                self._passed_over(namespace, error)

    def _paths(self, plural: str) -> Iterator[tuple[str, str]]:
        group = ("apis", names.GROUP, names.VERSION)
        if self.scope.is_all:
            yield "", path_of(*group, plural)
        for namespace in self.scope.namespaces:
            yield namespace, path_of(*group, "namespaces", namespace, plural)

    def _seen(self, namespace: str) -> None:
        if namespace in self.dark:
            self.dark.remove(namespace)
            log.info("namespace_listed_again", namespace=namespace)

    def _passed_over(self, namespace: str, error: Forbidden) -> None:
        if not namespace:
            raise error
        if namespace not in self.dark:
            self.dark.add(namespace)
            log.warning("namespace_not_listed", namespace=namespace, error=str(error),
                        advice="give the controller its Role there, or name the namespace no more")
