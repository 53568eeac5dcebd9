"""The chart's README: how it is used in a few lines, and the table of its values."""

from generator.chart import values_file

BEGINNING = """<!-- Made by `make crds` from docs/generator/chart; change it there. -->

# Fairlead's chart

The Kubernetes operator [Fairlead](../../README.md): jobs on remote Slurm clusters and bare hosts, over nothing but SSH.

```console
$ helm install fairlead charts/fairlead --namespace fairlead --create-namespace
$ helm test fairlead --namespace fairlead
```

[Installing](../../docs/install.md) has the rest: values for common cases, some namespaces only, upgrade, uninstall, and who may
read the metrics.

## Values

A name that does not exist is refused, with a list of those that do.

"""


def render() -> str:
    """The whole page."""
    return BEGINNING + values_file.reference()
