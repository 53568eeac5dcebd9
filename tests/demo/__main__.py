"""`python -m demo` shows one Job and takes everything down; `python -m demo playground` leaves the set-up for a person."""

from bed import signals

signals.end_at_once("demo")

# ruff: noqa: E402  until these are read, there is nothing to remove
import os
import sys

import click

from bed.errors import BedError
from bed.state import Bed
from demo import story
from demo.kinds import choose
from demo.stage import PROJECT, Stage, make_secret, set_up, write_restart
from demo.teller import Teller

FAILED = 2


@click.group(invoke_without_command=True)
@click.pass_context
def commands(context: click.Context) -> None:
    """Show Fairlead on this machine, with real parts: one Job from apply to Complete and its removal."""
    if context.invoked_subcommand is None:
        demo()


def demo() -> None:
    """One Job from apply to Complete and its removal; then everything is taken down and counted."""
    teller, choice = Teller(), choose()
    with Bed.create("demo") as bed:
        stage = set_up(bed, choice, teller)
        story.tell(stage, teller)
        teller.step("Taking the test bed down")
        stage.controller.stop()
    left = bed.leftovers()
    teller.note(f"  processes, namespaces, mounts, links and folders of it: {len(left)}")
    if left:
        raise BedError("something is left on this machine: " + "; ".join(left))
    teller.step(f"Done in {teller.seconds:.0f} s. To play with the same set-up: make playground")


@commands.command()
def playground() -> None:
    """Start the same set-up, which stays up."""
    teller, choice = Teller(), choose()
    with Bed.create("playground") as bed:
        stage = set_up(bed, choice, teller)
        make_secret(stage)
        stage.plane.kubectl("apply", "--filename", str(stage.example / "cluster.yaml"))
        restart = write_restart(stage)
        bed.keep()
    teller.step(f"It stays up until: .venv/bin/python -m bed down {bed.id}")
    _invite(stage, restart)


def _invite(stage: Stage, restart: os.PathLike[str]) -> None:
    example = PROJECT / "examples" / stage.kind.example / "job.yaml"
    folders = f"{stage.plane.kubectl_path.parent}:{PROJECT}/.venv/bin"
    print(f"""
Paste this line:

export KUBECONFIG={stage.plane.kubeconfig} PATH={folders}:$PATH

Three things to try:

1. kubectl apply -f {example}
   kubectl wait --for=condition=Complete flj/hello && fairlead logs default/hello

2. kubectl get fairlead -o wide; kubectl describe flj hello

3. kubectl delete flj hello; kubectl apply -f {example}; sleep 1; kill -9 {stage.controller.daemon.pid}
   That was the controller, while your Job ran. Start it again, and see that the Job has run once:
   {restart}; kubectl get flj hello --watch
""")


def main() -> None:
    """Run, and end with a sentence when something cannot work; Ctrl-C takes everything down."""
    signals.end_in_order()
    try:
        commands(prog_name="python -m demo", standalone_mode=False)
    except BedError as error:
        print(f"demo: {error}", file=sys.stderr)
        sys.exit(FAILED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        print("demo: stopped, and everything taken down", file=sys.stderr)
        sys.exit(signals.INTERRUPTED)


if __name__ == "__main__":
    main()
