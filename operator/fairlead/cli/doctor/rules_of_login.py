"""Whether the login shell runs what it is given, and what a session begins with. Pure."""

from typing import Final

from fairlead.cli.doctor.finding import RuleFinding, note, ok, wrong
from fairlead.cli.doctor.view import View
from fairlead.schedulers.doctor import clock as clock_of

_MOST_NOISE_BYTES: Final = 32 * 1024     # half of what an answer may have in front of its rows
_CLOCK_SECONDS: Final = 5.0


def shell(view: View) -> RuleFinding:
    """The login shell: that it ran the program, and what it printed before."""
    facts = view.facts
    if not facts.rows:
        return wrong(f"{view.not_run or 'it printed something, and did not run what it was given'}; have the account opened for commands "
                     "over SSH, or look for `exec` and `exit` in its dotfiles, and for a ForceCommand that does not run "
                     "$SSH_ORIGINAL_COMMAND")
    name = facts.text("shell") or "the login shell"
    if facts.noise_bytes > _MOST_NOISE_BYTES:
        return wrong(f"{name} prints {facts.noise_bytes} bytes at login, too many to be passed over: have the dotfiles print in "
                     "interactive shells alone")
    noise = f"; the {facts.noise_bytes} bytes that it prints at login are passed over" if facts.noise_bytes else ""
    return ok(f"{name} runs what it is given, as {facts.text('who')} on {facts.text('who', 2)}{noise}")


def path(view: View) -> RuleFinding | None:
    """PATH as the session has it."""
    found = view.facts.text("path")
    return ok(found) if found else None


def clock(view: View) -> RuleFinding | None:
    """How far the two clocks are apart, as far as whole seconds and the way tell."""
    there = clock_of(view.facts)
    if there is None:
        return None
    least, most = there - view.heard_at, there + 1 - view.sent_at
    if least > _CLOCK_SECONDS or most < -_CLOCK_SECONDS:
        seconds, which = (least, "ahead of") if least > 0 else (-most, "behind")
        return note(f"its clock is {seconds:.0f} s {which} this machine's, and so are the times in a Job's status: have the time kept by "
                    "NTP on both")
    return ok(f"within {_CLOCK_SECONDS:g} s of this machine's")
