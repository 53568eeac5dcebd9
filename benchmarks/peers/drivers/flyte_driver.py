"""Flyte: one SlurmScriptTask, run locally, as its plugin offers it without a Flyte cluster.

`flyte_driver.py HOST USER KNOWN_HOSTS SCRIPT`; the private key is in the environment, PEER_KEY.
"""

import json
import logging
import sys
import time
from pathlib import Path

import flyte
from flyteplugins.slurm import Slurm, SlurmScriptTask


class _Told(logging.Handler):
    """Its connector logs the id of what it has submitted."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith("Submitted Slurm job"):
            _say("id", says=record.getMessage())


def main(host: str, user: str, known_hosts: str, script: str) -> None:
    """Run it to its end."""
    task = SlurmScriptTask(
        name="job", script=Path(script).read_text(encoding="utf-8"),
        plugin_config=Slurm(partition="debug", mem="100M", time_limit="15", host=host, username=user, known_hosts=known_hosts,
                            ssh_private_key="PEER_KEY"))
    flyte.TaskEnvironment.from_task("peers", task)
    flyte.init(log_level=logging.INFO)
    logging.getLogger("flyte").addHandler(_Told())
    _say("asked")
    try:
        flyte.with_runcontext(mode="local").run(task)
    except Exception as error:
        _say("end", says=f"{type(error).__name__}: {error}", good=False)
        raise
    _say("end", says="succeeded", good=True)


def _say(what: str, **more: object) -> None:
    print("EVENT", json.dumps({"what": what, "at": time.time(), **more}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
