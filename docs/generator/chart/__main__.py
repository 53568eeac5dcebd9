"""`python -m generator.chart FOLDER`: write what is made from code into the chart in FOLDER."""

import sys
from pathlib import Path

from generator.chart import crds, readme, rights, schema, values_file


def files() -> dict[str, str]:
    """The text of every file, by its path in the chart."""
    return {
        "README.md": readme.render(),
        "values.yaml": values_file.render(),
        "values.schema.json": schema.render(),
        "templates/_rights.tpl": rights.render(),
        **{f"files/crds/{name}": text for name, text in crds.files().items()},
    }


def main(folder: Path) -> None:
    """Write each file and print its path."""
    for name, text in files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
