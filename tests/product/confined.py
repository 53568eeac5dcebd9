"""The controller as a strict cluster runs it: a uid that nobody knows, no home, nothing that it may write, 128 descriptors."""

import shutil
import sys
import sysconfig
from pathlib import Path

from product.controller import Controller

UID = 54321
CHECKOUT = Path(__file__).parents[2]
CLOSED = "/mnt/closed"               # a folder that it may not enter


class Confined(Controller):
    """Like the others, but for what `confined.sh` takes from it. `home` is its HOME, empty for none."""

    home = CLOSED
    descriptors = 128

    def argv(self, kubeconfig: Path, settings: Path) -> list[str]:
        """The command line, behind the script that confines it, with what it reads where it may read it."""
        config = self._folder / "config"
        shutil.rmtree(config, ignore_errors=True)
        config.mkdir()
        places = [Path(shutil.copy(each, config)).name for each in (kubeconfig, settings)]
        python, *rest = super().argv(*(Path("/mnt/config", name) for name in places))
        inside = Path("/mnt/python/bin", Path(python).resolve().name)
        packages = Path(sysconfig.get_path("purelib")).relative_to(CHECKOUT)
        rules = sys.base_prefix, str(CHECKOUT), str(packages), str(config), self.home, str(self.descriptors)
        return ["unshare", "--mount", "sh", str(Path(__file__).with_suffix(".sh")), *rules, str(inside), *rest]
