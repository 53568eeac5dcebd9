"""The way to one host, step by step, and the look around when one is there: one login, one program, and what the connection may carry.

    jump hosts -> name -> route -> port -> host key -> login -> the far end's checks -> sessions, forwarding

The first step that fails says why; those behind it are said to be skipped.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Final, NoReturn

from fairlead.api.v1alpha1.cluster import ClusterSpec, ProcessHost
from fairlead.api.v1alpha1.reasons import ClusterReason
from fairlead.api.v1alpha1.texts import clean
from fairlead.cli.doctor.checks import OF_FAR_END, at_far_end, skipped
from fairlead.cli.doctor.finding import Finding, Result
from fairlead.cli.doctor.view import View
from fairlead.cli.reach import as_options
from fairlead.domain.cluster.address import Address, Endpoint
from fairlead.domain.errors import RemoteFault, Unreadable
from fairlead.domain.run.run import Tree
from fairlead.schedulers import doctor
from fairlead.schedulers.fence import last_row
from fairlead.schedulers.seam import Exchange
from fairlead.ssh.survey import LoginSeen, NoServer, Over, addresses_of, greeting_of, logged_in, profiles_of

TOTAL_SECONDS: Final = 180.0             # for the far end's program, however it goes
_HOST_KEY: Final = frozenset({ClusterReason.HOST_KEY_UNKNOWN, ClusterReason.HOST_KEY_MISMATCH, ClusterReason.HOST_KEYS_INVALID})
_BEHIND: Final = ("sessions", "forwarding")
_STEP_BYTES: Final = 64
_WORDS_BYTES: Final = 200
_NO_NEED: Final = "Jobs need none, a jump host does"


@dataclass(frozen=True, slots=True)
class Target:
    """One endpoint or host of a Cluster. `address` None: what one logs in with cannot be read, and `lacks` says why."""

    endpoint: Endpoint
    spec: ClusterSpec
    address: Address | None
    lacks: str = ""
    host: ProcessHost | None = None
    tree: Tree | None = None
    cluster: str = ""                # NAMESPACE/NAME, where there is one
    user: str = ""

    @property
    def title(self) -> str:
        """As a person knows it."""
        return f"{self.endpoint} as {self.user or self.spec.user}"


class _Ended(Exception):
    """The way ends here, and what was found is said."""


class Survey:
    """Looks at one target. `tell` hears at what it is."""

    def __init__(self, target: Target, tell: Callable[[str], None]) -> None:
        self._target = target
        self._tell = tell
        self._seconds = target.spec.connection.connect_timeout_seconds
        self._findings: list[Finding] = []

    async def findings(self) -> list[Finding]:
        """All lines, in their order; takes at most a few minutes, whatever the far end does."""
        try:
            async with AsyncExitStack() as stack:
                await self._go(stack)
        except _Ended:
            seen = {each.check for each in self._findings}
            because = next((each.check for each in self._findings if each.verdict is Result.WRONG), "what failed")
            rest = ("name", "route", "port", "host key", "login", *(each.name for each in OF_FAR_END[self._target.spec.type]), *_BEHIND)
            behind = self._target.spec.proxy_jump or (self._target.address and self._target.address.via)
            self._findings += skipped((each for each in rest if each not in seen and not (each == "name" and behind)), because)
        return self._findings

    async def _go(self, stack: AsyncExitStack) -> None:
        target, address = self._target, self._target.address
        profile = None
        if address is None:
            self._add("key", Result.WRONG, target.lacks)
            if target.spec.proxy_jump:
                raise _Ended
        else:
            try:
                [profile] = await asyncio.to_thread(profiles_of, address)
                self._add("key", Result.OK, str(profile.key))
            except Unreadable as fault:
                self._add("host key" if fault.reason in _HOST_KEY else "key", Result.WRONG, str(fault))
        over = await self._behind(address.via, stack) if address and address.via else None
        greeting = await self._greeting(over)
        if profile is None:
            raise _Ended
        login = await self._login(logged_in(profile, self._seconds, over), stack)
        self._ok("host key", login.host_key)
        self._ok("login", f"{profile.address.user} is let in with this key, by {greeting}")
        await self._look_around(login)

    async def _behind(self, jump: Address, stack: AsyncExitStack) -> Over:
        """Through a jump host, and those before it: a line for each."""
        over = await self._behind(jump.via, stack) if jump.via else None
        check = f"jump[{jump.hop or 0}]"
        self._tell(check)
        try:
            [profile] = await asyncio.to_thread(profiles_of, jump)
            login = await stack.enter_async_context(logged_in(profile, self._seconds, over))
        except (RemoteFault, Unreadable) as fault:
            self._end(check, str(fault))
        self._ok(check, f"{jump} is let in, and shows {login.host_key}")
        return login.over

    async def _greeting(self, over: Over | None) -> str:
        """From the name to what the server says first."""
        target = self._target
        addresses: tuple[str, ...] = ()
        if over is None:
            self._tell("name")
            try:
                addresses = tuple(await addresses_of(target.endpoint, self._seconds))
            except RemoteFault as fault:
                self._end("name", str(fault))
            self._ok("name", f"{target.endpoint.host} is {', '.join(addresses[:4])}" if target.endpoint.host not in addresses
                     else "an address needs no look-up")
        self._tell("route")
        try:
            greeting = await greeting_of(target.endpoint, addresses, self._seconds, over)
        except NoServer as fault:
            self._ok("route", "the host answers")
            self._end("port", str(fault))
        except RemoteFault as fault:
            self._end("route", str(fault))
        where = "through the jump host" if over else f"{greeting.address} answers"
        if greeting.silent:
            self._add("route", Result.NOTE, f"{where}, but {', '.join(greeting.silent)} of the same name does not: each login tries it "
                                             "first; have the name's records mended")
        else:
            self._ok("route", f"{where} in {max(greeting.seconds * 1000, 1):.0f} ms")
        self._ok("port", f"{target.endpoint.port} is SSH's")
        return greeting.words

    async def _login(self, login: AbstractAsyncContextManager[LoginSeen], stack: AsyncExitStack) -> LoginSeen:
        self._tell("login")
        try:
            return await stack.enter_async_context(login)
        except RemoteFault as fault:
            if fault.reason in _HOST_KEY:
                self._end("host key", str(fault))
            if fault.reason is ClusterReason.NO_COMMON_ALGORITHM:
                self._end("algorithms", str(fault))
            if fault.reason is ClusterReason.AUTHENTICATION_FAILED:
                self._ok("host key", "it is the one that is named")
            self._end("login", str(fault))

    async def _look_around(self, login: LoginSeen) -> None:
        """One program, then what the connection may carry."""
        view = await self._view(login)
        self._findings += at_far_end(view)
        if not view.facts.rows:
            raise _Ended
        wanted = self._target.spec.connection.max_channels_per_connection
        self._tell("sessions")
        try:
            had = await login.sessions(wanted, self._seconds)
        except RemoteFault as fault:
            self._end("sessions", str(fault))
        if had < wanted:
            self._add("sessions", Result.NOTE if had else Result.WRONG,
                      f"its sshd allows {had} at a time on a connection, where spec.connection.maxChannelsPerConnection is {wanted}: write "
                      f"{max(had // 2, 1)}, or have MaxSessions raised to {2 * wanted}")
        else:
            self._ok("sessions", f"{had} at a time on a connection")
        self._tell("forwarding")
        forwards = await login.forwards()
        said = {True: "it forwards TCP", False: f"its sshd forwards no TCP (AllowTcpForwarding, PermitOpen): {_NO_NEED}",
                None: f"it did not say whether it forwards TCP: {_NO_NEED}"}[forwards]
        self._add("forwarding", Result.OK if forwards else Result.NOTE, said)

    async def _view(self, login: LoginSeen) -> View:
        target, fence = self._target, secrets.token_hex(16)
        code = doctor.program(fence, target.spec, target.host, target.tree)
        exchange = Exchange("doctor", code, b"", 0.0, 0, bytes)
        output, broken, mark = bytearray(), "", fence.encode()
        sent_at, heard_at = time.time(), 0.0
        try:
            async with asyncio.timeout(TOTAL_SECONDS), aclosing(login.output(exchange, doctor.SILENT_SECONDS)) as pieces:
                async for piece in pieces:
                    output += piece
                    heard_at = heard_at or (time.time() if mark in output else 0.0)
                    self._tell(_step(output, mark))
                    if output.endswith(last_row(fence)):     # whatever a dotfile has left running may hold the channel open
                        break
                    if len(output) > doctor.MOST_BYTES:
                        broken = f"it printed more than {doctor.MOST_BYTES} bytes"
                        break
        except TimeoutError:
            broken = f"it did not end within {TOTAL_SECONDS:g} s"
        except RemoteFault as fault:
            broken = str(fault)
        facts = doctor.read(bytes(output[:doctor.MOST_BYTES]), fence)
        host = target.host if target.cluster else None
        return View(target.spec, facts, sent_at, heard_at or time.time(), host, broken, "" if facts.rows else _with_words(broken, output))

    def _ok(self, check: str, words: str) -> None:
        self._add(check, Result.OK, words)

    def _add(self, check: str, verdict: Result, words: str) -> None:
        self._findings.append(Finding(check, verdict, words if self._target.cluster else as_options(words)))

    def _end(self, check: str, words: str) -> NoReturn:
        self._add(check, Result.WRONG, words)
        raise _Ended


def _with_words(broken: str, output: bytes | bytearray) -> str:
    """The sentence with what was printed in the program's place: nologin says there that the account is closed."""
    printed = clean(bytes(output[-_WORDS_BYTES:]).decode("utf-8", "replace"), _WORDS_BYTES)
    return broken.replace("it said: nothing", f"it said: {printed}") if printed else broken


def _step(output: bytes | bytearray, mark: bytes) -> str:
    """What the far end's program is at, as far as it has come."""
    at = output.rfind(mark + b"\x1fstep\x1f")
    found = bytes(output[at + len(mark) + 6:][:_STEP_BYTES]).partition(b"\n")[0].decode("ascii", "replace") if at >= 0 else ""
    return found if found in doctor.STEPS else "shell"


def worst(findings: Iterable[Finding]) -> Result:
    """`WRONG` if one is, else `OK`: notes keep nobody from working."""
    return Result.WRONG if any(each.verdict is Result.WRONG for each in findings) else Result.OK
