"""AiiDA: a profile with its daemon, and one CalcJob through core.ssh_async and core.slurm.

`aiida_driver.py setup HOST FOLDER LOGIN_SECONDS POLL_SECONDS`: a computer for the host, with these intervals.
`aiida_driver.py job SCRIPT` submits it and prints what is seen of it, until it ends.
"""

import json
import sys
import time
from pathlib import Path

from aiida import load_profile, orm
from aiida.engine import submit

_LOOK_SECONDS = 0.05


def setup(host: str, folder: str, login_seconds: str, poll_seconds: str) -> None:
    """The computer, and bash on it."""
    computer = orm.Computer(label="cluster", hostname=host, transport_type="core.ssh_async", scheduler_type="core.slurm", workdir=folder)
    computer.set_default_mpiprocs_per_machine(1)
    computer.store()
    computer.set_minimum_job_poll_interval(float(poll_seconds))
    computer.configure(safe_interval=float(login_seconds))
    orm.InstalledCode(label="bash", computer=computer, filepath_executable="/bin/bash",
                      default_calc_job_plugin="core.templatereplacer").store()


def job(script: Path) -> None:
    """One job from the asking to its end, or for as long as this program is let live."""
    builder = orm.load_code("bash@cluster").get_builder()
    text = script.read_text(encoding="utf-8").replace("{", "{{").replace("}", "}}")
    builder.template = orm.Dict({"input_file_template": text, "input_file_name": "job.sh", "cmdline_params": ["job.sh"],
                                 "output_file_name": "out"})
    builder.metadata.options.resources = {"num_machines": 1, "num_mpiprocs_per_machine": 1}
    builder.metadata.options.withmpi = False
    builder.metadata.options.max_wallclock_seconds = 900
    builder.metadata.options.max_memory_kb = 100_000
    _say("asked")
    node = submit(builder)
    named = False
    while True:
        fresh = orm.load_node(node.pk)
        if not named and fresh.get_job_id():
            named = True
            _say("id", says=str(fresh.get_job_id()))
        if fresh.is_terminated:
            _say("end", says=f"{fresh.process_state.value}, exit status {fresh.exit_status}", good=bool(fresh.is_finished))
            return
        if fresh.paused:
            _say("end", says=f"paused: {fresh.process_status}", good=False)
            return
        time.sleep(_LOOK_SECONDS)


def _say(what: str, **more: object) -> None:
    print("EVENT", json.dumps({"what": what, "at": time.time(), **more}), flush=True)


if __name__ == "__main__":
    load_profile()
    if sys.argv[1] == "setup":
        setup(*sys.argv[2:])
    else:
        job(Path(sys.argv[2]))
