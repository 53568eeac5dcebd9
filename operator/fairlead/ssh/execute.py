"""One exec from its first byte to its exit status: exit status 0 within the bounds is an answer, everything else is not."""

import asyncio
from dataclasses import dataclass

import asyncssh

from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.api.v1alpha1.texts import one_line
from fairlead.domain.errors import Unanswered
from fairlead.schedulers.seam import NOT_RUN
from fairlead.ssh.channel import STDERR_KEPT_BYTES, Exec, Opened, hang_up, put_down


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, as the seam's Exchange has it, and the words to speak of it by."""

    verb: str
    where: str                       # user@host:port
    stdin: bytes
    open_seconds: float              # for the channel, of a connection that stands
    timeout_seconds: float
    max_output_bytes: int
    last_row: bytes = b""            # see the seam's Exchange
    owner: str = ""                  # the namespace in whose share it runs


async def execute(connection: asyncssh.SSHClientConnection, opened: Opened, command: Command) -> bytes:
    """Run a command on an open channel and return its whole standard output.

    Raises `Unanswered` when it came to no clean end with exit status 0. When it is given up (time-out, too much output, cancelled), what
    runs at the far end is put down; if that is not confirmed, the connection is dropped.
    """
    channel, session = opened
    try:
        await session.converse(channel, command.stdin, command.timeout_seconds)
    except asyncio.CancelledError:
        await put_down(connection, channel, session)
        raise
    if session.timed_out:
        await put_down(connection, channel, session)
        raise Unanswered(f"{command.verb} on {command.where} did not end within {command.timeout_seconds:g} s and was stopped",
                         ClusterReason.POLL_TIMED_OUT)
    if session.overflowed:
        await put_down(connection, channel, session)
        raise Unanswered(f"{command.verb} on {command.where} printed more than {command.max_output_bytes} bytes and was stopped",
                         ClusterReason.POLL_FAILED)
    if not session.closed.is_set():
        await hang_up(channel, session)
    require_success(channel, session, f"{command.verb} on {command.where}")
    return bytes(session.output)


def require_success(channel: asyncssh.SSHClientChannel[bytes], session: Exec, what: str) -> None:
    """Raise `Unanswered` unless the exit status is 0. None is a failure too, also when the output looks whole: the connection died."""
    status, signal = channel.get_exit_status(), channel.get_exit_signal()
    if status == 0 and not signal:
        return
    said = one_line(bytes(session.errors or session.output[-STDERR_KEPT_BYTES:])) or "nothing"
    if signal:
        raise Unanswered(f"{what} was ended there by signal {one_line(signal[0], 20)}; it said: {said}", ClusterReason.POLL_FAILED)
    if status is None:
        why = f": {words}" if session.lost and (words := one_line(str(session.lost))) else ""
        raise Unanswered(f"{what} has no answer: the connection broke off{why}", ClusterReason.CONNECTION_LOST)
    if status == NOT_RUN:
        raise Unanswered(f"{what} was not run: something at the login takes the place of the login shell's command, such as `exec` in a "
                         f"dotfile, which should be done in interactive shells only; it said: {said}", ClusterReason.LOGIN_SHELL_FAILED)
    raise Unanswered(f"{what} ended with exit code {status}: the login shell did not run what it was given; it said: {said}",
                     ClusterReason.LOGIN_SHELL_FAILED)
