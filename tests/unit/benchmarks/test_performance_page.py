"""Else one benchmark's run would take away what another has measured, or leave its own old figures beside the new."""

from benchmarks.figures import Aim, Figure, Good, Result
from benchmarks.machine import Machine
from benchmarks.page import page

MACHINE = Machine(2, "Model T", "6.1", "Fairlead 1", "", "2030-01-02")
ORDER = ("ssh-pool", "submit")


def result(name: str, value: float, **more: object) -> Result:
    return Result(name, f"About {name}", "What was done.", 5, [Figure("Wait", "ms", Good.LOW, [value], (), [Aim(10)], "the disk")], **more)


def test_a_section_holds_command_machine_and_figures():
    text = page("", [(result("submit", 7, notes=["Nothing more."]), MACHINE)], ORDER)
    assert "## About submit" in text
    assert "`make bench ARGS=submit`, 2030-01-02, 5 rounds. 2 cores of Model T, Linux 6.1; Fairlead 1." in text
    assert "| Wait | 7 ms (7 to 7) | - | - | at most 10 ms | yes |" in text
    assert "- Nothing more." in text
    assert "holds back" not in text


def test_a_missed_aim_is_told_with_what_bounds_it():
    text = page("", [(result("submit", 70), MACHINE)], ORDER)
    assert "- Wait: the disk." in text


def test_a_new_run_replaces_its_own_section_alone_and_the_order_stays():
    first = page("", [(result("submit", 7), MACHINE), (result("ssh-pool", 8), MACHINE)], ORDER)
    again = page(first, [(result("ssh-pool", 9), MACHINE)], ORDER)
    assert again == first.replace("| Wait | 8 ms (8 to 8)", "| Wait | 9 ms (9 to 9)")
    assert again.index("About ssh-pool") < again.index("About submit")


def test_a_busy_machine_is_said_to_have_been_busy():
    busy = Machine(2, "Model T", "6.1", "Fairlead 1", "somebody built something", "2030-01-02")
    assert "Not quiet: somebody built something." in page("", [(result("submit", 7), busy)], ORDER)
