"""How many processes were started below others, however short they lived: counted from the kernel's own events.

The process connector (drivers/connector/cn_proc.c, linux/cn_proc.h) tells of each fork on the machine; those of a tree are picked out.
"""

import os
import socket
import struct
import threading
import time
from types import TracebackType
from typing import Self

from bed import proc
from bed.errors import BedError

_CONNECTOR = 11                  # NETLINK_CONNECTOR
_GROUP = 1                       # CN_IDX_PROC
_LISTEN, _IGNORE = 1, 2          # enum proc_cn_mcast_op
_FORK, _EXIT = 0x00000001, 0x80000000     # enum proc_cn_event
_HEAD = struct.Struct("=16x20xIIQ")      # nlmsghdr, cn_msg; what, cpu, monotonic nanoseconds
_FOUR = struct.Struct("=iiii")           # fork: parent pid and tgid, child pid and tgid; exit: pid and tgid, two more
_BUFFER_BYTES = 64 << 20
_LOOK_SECONDS = 0.2


class Forks:
    """Counts, while it is open, the processes (not threads) that begin below these; a context manager. Root only.

    Raises:
        BedError: this kernel has no process connector, or it told more than could be read.
    """

    def __init__(self, roots: set[int]) -> None:
        self.count = 0
        self._tree = roots | proc.below(roots, proc.everyone())
        self._until: int | None = None
        self._lost = False
        self._thread = threading.Thread(target=self._read, name="forks", daemon=True)
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _CONNECTOR)
            self._socket.setsockopt(socket.SOL_SOCKET, 33, _BUFFER_BYTES)    # SO_RCVBUFFORCE
            self._socket.settimeout(_LOOK_SECONDS)
            self._socket.bind((0, _GROUP))
            self._ask(_LISTEN)
        except OSError as error:
            raise BedError(f"processes cannot be counted here: the kernel's process connector says {error.strerror}") from error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._until = time.monotonic_ns()
        self._thread.join()
        self._ask(_IGNORE)
        self._socket.close()
        if self._lost and error is None:
            raise BedError("more processes began and ended on this machine than could be counted")

    def _ask(self, operation: int) -> None:
        message = struct.pack("=IIIIHHI", _GROUP, 1, 0, 0, 4, 0, operation)
        self._socket.send(struct.pack("=IHHII", 16 + len(message), 3, 0, 0, os.getpid()) + message)

    def _read(self) -> None:
        while True:
            try:
                message = self._socket.recv(4096)
            except TimeoutError:
                if self._until is not None:
                    return
                continue
            except OSError:              # ENOBUFS: the kernel dropped some
                self._lost = True
                return
            if len(message) < _HEAD.size + _FOUR.size:
                continue
            what, _, at = _HEAD.unpack_from(message)
            if self._until is not None and at > self._until:
                return
            self._take(what, *_FOUR.unpack_from(message, _HEAD.size))

    def _take(self, what: int, first: int, second: int, third: int, fourth: int) -> None:
        if what == _FORK and second in self._tree and third == fourth:
            self._tree.add(fourth)
            self.count += 1
        elif what == _EXIT and first == second:
            self._tree.discard(first)
