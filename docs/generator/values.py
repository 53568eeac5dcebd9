"""The page of the chart's values."""

from generator.chart import values_file

INTRODUCTION = """# Values of the chart

What `helm install --values FILE` and `--set` can say. A name that does not exist is refused, with a list of those that do.
[Installing](../install.md) shows values for common cases.
"""


def page() -> str:
    """The whole page."""
    return f"{INTRODUCTION}\n{values_file.reference()}"
