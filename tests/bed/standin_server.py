"""The process behind bed.standin: `python -m bed.standin_server FOLDER`. It reads FOLDER/plan.json and answers until it is ended."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

import asyncssh

_LOOK_SECONDS = 0.1  # between two looks whether a hung host is still hung
_BACKLOG = 128
_CHUNK_BYTES = 65536
_CUT = (OSError, asyncssh.Error)  # the other side is gone


@dataclass(frozen=True, slots=True)
class _Host:
    """One server: its home, the file that hangs it, and how it runs commands."""

    home: Path
    hung: Path
    uid: int
    program: str | None

    async def answering(self) -> None:
        """Returns once the host is not hung."""
        while self.hung.exists():  # noqa: ASYNC110 - another process makes and removes it
            await asyncio.sleep(_LOOK_SECONDS)

    async def execute(self, process: "asyncssh.SSHServerProcess[bytes]") -> None:
        """Answers one exec request as sshd does: the command by a shell, its output as it comes, its end as exit status or signal."""
        await self.answering()
        env = {"HOME": str(self.home), "USER": "user", "LOGNAME": "user", "SHELL": "/bin/sh", "PATH": "/usr/local/bin:/usr/bin:/bin",
               "FAIRLEAD_BED": os.environ["FAIRLEAD_BED"], "SSH_ORIGINAL_COMMAND": process.command or ""}
        child = await asyncio.create_subprocess_exec(
            "sh", "-c", self.program or process.command or "exec sh", env=env, cwd=self.home, start_new_session=True,
            user=self.uid, group=self.uid, extra_groups=[],
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        feeding = asyncio.create_task(_feed(process.stdin, child.stdin))
        await asyncio.gather(_relay(child.stdout, process.stdout), _relay(child.stderr, process.stderr))
        code = await child.wait()
        feeding.cancel()
        with contextlib.suppress(*_CUT):
            if code < 0:
                process.exit_with_signal(signal.Signals(-code).name.removeprefix("SIG"))
            else:
                process.exit(code)


async def _feed(source: "asyncssh.SSHReader[bytes]", target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(*_CUT):
        while data := await source.read(_CHUNK_BYTES):
            target.write(data)
            await target.drain()
    target.close()


async def _relay(source: asyncio.StreamReader, target: "asyncssh.SSHWriter[bytes]") -> None:
    """To the end of the output also when nobody takes it any more, so that the command is not stopped by a full pipe."""
    taken = True
    while data := await source.read(_CHUNK_BYTES):
        try:
            if taken:
                target.write(data)
                await target.drain()
        except _CUT:
            taken = False


async def _serve(host: _Host, listening: socket.socket, options: asyncssh.SSHServerConnectionOptions) -> None:
    """Accepts for ever. A hung host's connections wait, accepted, and never see a banner."""
    async def converse(connected: socket.socket) -> None:
        await host.answering()
        with contextlib.suppress(*_CUT):
            connection = await asyncssh.run_server(connected, options=options)
            await connection.wait_closed()

    conversations: set[asyncio.Task[None]] = set()
    while True:
        connected, _ = await asyncio.get_running_loop().sock_accept(listening)
        task = asyncio.create_task(converse(connected))
        conversations.add(task)
        task.add_done_callback(conversations.discard)


async def main(folder: Path) -> None:
    """Starts every server of the plan, then says on which ports."""
    plan = json.loads((folder / "plan.json").read_text())
    clients = asyncssh.import_authorized_keys(plan["user_key"])
    serving, ports = [], []
    for index, host_key in enumerate(plan["host_keys"]):
        host = _Host(folder / "homes" / str(index), folder / f"hung{index}", plan["uid"], plan["program"])
        options = asyncssh.SSHServerConnectionOptions(
            server_host_keys=[asyncssh.import_private_key(host_key)], authorized_client_keys=clients, process_factory=host.execute,
            encoding=None, allow_pty=False, agent_forwarding=False, x11_forwarding=False, password_auth=False)
        listening = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        listening.setblocking(False)
        ports.append(listening.getsockname()[1])
        serving.append(asyncio.create_task(_serve(host, listening, options)))
    aside = folder / ".ports.json"
    aside.write_text(json.dumps(ports))
    aside.rename(folder / "ports.json")
    await asyncio.gather(*serving)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
