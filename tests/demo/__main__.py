"""`python -m demo` shows one Job and takes everything down; `python -m demo playground` leaves the set-up for a person."""

import signal
import sys

import click
from bed.errors import BedError
from bed.state import Bed

from demo import story
from demo.stage import PROJECT, Stage, make_secret, set_up
from demo.teller import Teller

FAILED = 2
INTERRUPTED = 130


@click.group(invoke_without_command=True)
@click.pass_context
def commands(context: click.Context) -> None:
    """Fairlead on this machine, with real parts."""
    if context.invoked_subcommand is None:
        demo()


def demo() -> None:
    """One Job from apply to Complete and its removal; then everything is taken down and counted."""
    teller = Teller()
    with Bed.create("demo") as bed:
        stage = set_up(bed, teller)
        story.tell(stage, teller)
        teller.step("Taking the test bed down")
        stage.controller.stop()
    left = bed.leftovers()
    teller.note(f"  processes, network namespaces, mounts and files of the test bed: {len(left)}")
    if left:
        raise BedError("something is left on this machine: " + "; ".join(left))
    teller.step(f"Done in {teller.seconds:.0f} s. To play with the same set-up: make playground")


@commands.command()
def playground() -> None:
    """The same set-up, which stays up."""
    teller = Teller()
    with Bed.create("playground") as bed:
        stage = set_up(bed, teller)
        make_secret(stage)
        stage.plane.kubectl("apply", "--filename", str(stage.example / "cluster.yaml"))
        bed.keep()
    _invite(stage, teller)


def _invite(stage: Stage, teller: Teller) -> None:
    teller.step("It stays up until: make clean. Paste this line:")
    print(f"\nexport KUBECONFIG={stage.plane.kubeconfig} PATH={stage.plane.kubectl_path.parent}:{PROJECT}/.venv/bin:$PATH\n")
    print("Three things to try:")
    print("  kubectl apply -f examples/01-hello/job.yaml && kubectl wait --for=condition=Complete flj/hello && fairlead logs default/hello")
    print("  kubectl get fairlead -o wide; kubectl describe flj hello")
    print(f"  kill -9 {stage.controller.daemon.pid} while a Job runs, start it again as {stage.controller.log.parent}/start does, and see it run once")


def main() -> None:
    """Run, and end with a sentence when something cannot work; Ctrl-C takes everything down."""
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    try:
        commands(prog_name="python -m demo", standalone_mode=False)
    except BedError as error:
        print(f"demo: {error}", file=sys.stderr)
        sys.exit(FAILED)
    except (KeyboardInterrupt, click.Abort):
        print("demo: stopped, and everything taken down", file=sys.stderr)
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
