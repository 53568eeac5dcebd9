"""Records what programs with progress bars print on a terminal, and beside it what a terminal shows in the end: `record.py FOLDER`.

Run it by hand, with a Python that has tqdm, rich, keras (with numpy, scipy, jax) and pyte, and with wget and curl. pyte is a terminal
emulator, so what the fold has to come to is not its own word.
"""

import os
import pty
import subprocess
import sys
import termios
import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pyte

COLUMNS = 100
BYTES = 30 << 20

TQDM = """
import time
from tqdm import tqdm
for epoch in (1, 2):
    for i in tqdm(range(40), desc=f"Epoch {epoch}", mininterval=0): time.sleep(0.001)
    print(f"epoch {epoch}: loss 0.5", flush=True)
with tqdm(total=3, leave=False, mininterval=0) as bar:
    for i in range(3): bar.update(); time.sleep(0.01)
print("done", flush=True)
"""
TQDM_TWO = """
from tqdm import tqdm
outer = tqdm(total=20, desc="outer", position=0, mininterval=0)
inner = tqdm(total=20, desc="inner größer", position=1, mininterval=0)
for i in range(20): outer.update(); inner.update()
outer.close(); inner.close(); print("after")
"""
RICH = """
import time
from rich.progress import Progress
print("before", flush=True)
with Progress() as progress:
    tasks = [progress.add_task(f"[red]Task {n}", total=30) for n in range(3)]
    for i in range(30):
        for task in tasks: progress.advance(task)
        time.sleep(0.01)
        if i == 10: progress.console.print("a line between")
print("after", flush=True)
"""
KERAS = """
import keras, time
bar = keras.utils.Progbar(20)
for i in range(20): bar.update(i + 1, [("loss", 1 / (i + 1))]); time.sleep(0.06)
print("end")
"""


class Zeros(BaseHTTPRequestHandler):
    """Gives out zeros, for those who show how they download."""

    def do_GET(self) -> None:
        """Send them."""
        self.send_response(200)
        self.send_header("Content-Length", str(BYTES))
        self.end_headers()
        self.wfile.write(bytes(BYTES))


def main(folder: Path) -> None:
    """Record all."""
    server = HTTPServer(("127.0.0.1", 0), Zeros)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/file"
    programs: Mapping[str, Sequence[str]] = {
        "tqdm": [sys.executable, "-c", TQDM],
        "tqdm-two": [sys.executable, "-c", TQDM_TWO],
        "rich": [sys.executable, "-c", RICH],
        "keras": [sys.executable, "-c", KERAS],
        "wget": ["wget", "--limit-rate=20m", "-O", "/dev/null", url],
        "curl": ["curl", "--limit-rate", "10M", "-o", "/dev/null", url],
        "curl-bar": ["curl", "-#", "--limit-rate", "20M", "-o", "/dev/null", url],
        "pip": [sys.executable, "-m", "pip", "download", "--no-cache-dir", "--no-deps", "--disable-pip-version-check", "-d", "downloaded",
                "setuptools==80.9.0"],
    }
    for name, argv in programs.items():
        printed = record(argv)
        (folder / f"{name}.printed").write_bytes(printed)
        (folder / f"{name}.shown").write_text(shown(printed), encoding="utf-8")


def record(argv: Sequence[str]) -> bytes:
    """What it prints on a terminal that leaves line ends as they are, as a file would."""
    ours, its = pty.openpty()
    termios.tcsetwinsize(its, (40, COLUMNS))
    modes = termios.tcgetattr(its)
    modes[1] &= ~termios.ONLCR
    termios.tcsetattr(its, termios.TCSANOW, modes)
    env = os.environ | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "COLUMNS": str(COLUMNS), "KERAS_BACKEND": "numpy"}
    with subprocess.Popen(argv, stdin=its, stdout=its, stderr=its, env=env):
        os.close(its)
        printed = b""
        while True:
            try:
                piece = os.read(ours, 1 << 16)
            except OSError:                      # nobody has the terminal any more
                break
            printed += piece
    os.close(ours)
    return printed


def shown(printed: bytes) -> str:
    """What a wide and high terminal shows in the end."""
    screen = pyte.Screen(400, 500)
    pyte.Stream(screen).feed(printed.replace(b"\n", b"\r\n").decode())
    return "\n".join(line.rstrip() for line in screen.display).rstrip() + "\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
