"""Whether a Cluster is open to the Jobs of a namespace: by its spec.allowedNamespaces, and by the namespace's labels."""

from collections.abc import Mapping

from fairlead.api.v1alpha1.namespaces import LabelRequirement, LabelSelector
from fairlead.domain.cluster.cluster import Cluster


def asks_for_labels(cluster: Cluster, namespace: str) -> bool:
    """Whether it takes the labels of this namespace to know."""
    return namespace != cluster.ref.namespace and cluster.spec.allowed_namespaces.from_ == "Selector"


def refusal(cluster: Cluster, namespace: str, labels: Mapping[str, str] | None) -> str | None:
    """Why the Cluster takes no Jobs of this namespace, as a sentence; None if it does. `labels` are the namespace's, None if not known."""
    allowed, name = cluster.spec.allowed_namespaces, f"Cluster {cluster.ref.namespace}/{cluster.ref.name}"
    if namespace == cluster.ref.namespace or allowed.from_ == "All":
        return None
    if allowed.from_ == "Same":
        return f"{name} takes no Jobs of other namespaces: ask its owner to write {namespace} into its allowedNamespaces"
    if labels is None:
        return (f"{name} asks for labels of the namespace {namespace}, which are not known: they are read every few seconds, for which the "
                "controller needs the right to get namespaces")
    if allowed.selector is None or not matches(allowed.selector, labels):
        return f"{name} takes no Jobs of the namespace {namespace}, whose labels its allowedNamespaces does not match: ask its owner"
    return None


def matches(selector: LabelSelector, labels: Mapping[str, str]) -> bool:
    """Whether labels match a selector, as Kubernetes means it.

    https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#resources-that-support-set-based-requirements
    """
    return selector.match_labels.items() <= labels.items() and all(_holds(each, labels) for each in selector.match_expressions)


def _holds(wanted: LabelRequirement, labels: Mapping[str, str]) -> bool:
    match wanted.operator:
        case "In":
            return labels.get(wanted.key) in wanted.values
        case "NotIn":
            return labels.get(wanted.key) not in wanted.values
        case "Exists":
            return wanted.key in labels
        case "DoesNotExist":
            return wanted.key not in labels
