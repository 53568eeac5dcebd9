"""`python -m chart`: write what the chart renders with each value file into `rendered/`."""

from pathlib import Path
from tempfile import TemporaryDirectory

from bed import helm as bed_helm
from bed.state import Bed
from chart.helm import Helm
from chart.rendering import CASES, committed, to_commit


def main() -> None:
    """Write each and print its path."""
    with Bed.create("chart") as bed, TemporaryDirectory() as home:
        helm = Helm(bed_helm.ensure(bed), Path(home))
        for case in CASES:
            committed(case).write_text(to_commit(helm, case))
            print(committed(case))


if __name__ == "__main__":
    main()
