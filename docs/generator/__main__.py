"""`python -m generator FOLDER`: write all reference pages, and the picture of the dashboard, into FOLDER."""

import sys
from pathlib import Path

from generator import commands, dashboard, metrics, reasons, resources, rights, settings, third_party, values

PAGES = {
    "cluster.md": lambda: resources.page("Cluster"),
    "job.md": lambda: resources.page("Job"),
    "session.md": lambda: resources.page("Session"),
    "conditions.md": reasons.page,
    "settings.md": settings.page,
    "metrics.md": metrics.page,
    "commands.md": commands.page,
    "rights.md": rights.page,
    "third-party.md": third_party.page,
    "values.md": values.page,
    "dashboard.svg": dashboard.picture,
}


def main(folder: Path) -> None:
    """Write each page and print its path. `folder` must exist."""
    for name, page in PAGES.items():
        path = folder / name
        path.write_text(f"<!-- Made by `make crds` from the code; change it there. -->\n\n{page().rstrip()}\n", encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
