"""Faults on the way to the login node: the link, sshd, keys and credentials."""

import socket
from functools import partial
from pathlib import Path

from bed.sshdconf import KeyPair
from faults.fault import Fault, Group
from faults.play import Play

_fault = partial(Fault, group=Group.LINK)

LINK_SECONDS = 4.0
UPLOAD_BYTES, ANSWER_BYTES = 4000, 300


def _not_ready(play: Play) -> bool:
    return play.cluster.condition("Ready").get("status") == "False"


def _kill_sshd(play: Play) -> None:
    play.node.sshd.kill()
    play.node.end_sessions()


def _occupy_start_up(play: Play) -> None:
    """One stranger who connects and never logs in takes the only place there is."""
    stranger = socket.create_connection((play.node.host, play.node.port), 5)
    play.ends.callback(stranger.close)
    play.kept["stranger"] = stranger
    play.node.end_sessions()


def _host_key(play: Play) -> Path:
    return play.node.folder / "ssh/hostkey"


def _change_host_key(play: Play) -> None:
    play.kept["host key"] = _host_key(play).read_text()
    _with_host_key(play, KeyPair.generate().private)


def _with_host_key(play: Play, text: str) -> None:
    _kill_sshd(play)
    play.node.write("ssh/hostkey", text, mode=0o600)
    play.node.sshd.start()


def _secret(play: Play, private_key: str) -> None:
    play.scene.secret("hpc-key", ssh_privatekey=private_key)


def _change_secret(play: Play) -> None:
    _secret(play, KeyPair.generate().private)
    play.node.end_sessions()


def _remove_secret(play: Play) -> None:
    play.scene.api.delete(f"/api/v1/namespaces/{play.scene.namespace}/secrets/hpc-key")
    play.node.end_sessions()


def _revoke_key(play: Play) -> None:
    play.kept["keys"] = (play.node.folder / "ssh/authorized_keys").read_text()
    play.node.write("ssh/authorized_keys", "\n")
    play.node.end_sessions()


def _slow(play: Play, seconds: float) -> None:
    assert play.proxy is not None
    play.proxy.delay(seconds)


def _cut_upload(play: Play) -> None:
    assert play.proxy is not None
    play.proxy.cut_upload_after(UPLOAD_BYTES)


def _cut_answer(play: Play) -> None:
    assert play.proxy is not None
    play.proxy.truncate_after(ANSWER_BYTES)


def _reset(play: Play) -> None:
    assert play.proxy is not None
    play.proxy.reset()


def _pass(play: Play) -> None:
    assert play.proxy is not None
    play.proxy.pass_through()


FAULTS = (
    _fault("link down", strike=lambda play: play.node.link_down(), heal=lambda play: play.node.link_up(), lasts_seconds=LINK_SECONDS),
    _fault("packets dropped in silence", strike=lambda play: play.node.drop(True), heal=lambda play: play.node.drop(False),
          lasts_seconds=LINK_SECONDS),
    _fault("link slow", proxied=True, strike=lambda play: _slow(play, 0.5), heal=_pass, lasts_seconds=3),
    _fault("connection cut in mid-upload", proxied=True, strike=_cut_upload, met=_not_ready, heal=_pass),
    _fault("connection cut in mid-answer", proxied=True, strike=_cut_answer, met=_not_ready, heal=_pass),
    _fault("connection reset", proxied=True, during=_reset),
    _fault("sshd killed", strike=_kill_sshd, heal=lambda play: play.node.sshd.start(), lasts_seconds=1.5),
    _fault("sshd stopped", strike=lambda play: play.node.stop_sshd(), heal=lambda play: play.node.cont_sshd(),
          lasts_seconds=LINK_SECONDS),
    _fault("MaxSessions 1", config={"sshd_extra": ("MaxSessions 1",)}),
    _fault("MaxStartups 1:100:2, and a stranger who does not log in", config={"sshd_extra": ("MaxStartups 1:100:2",)},
          strike=_occupy_start_up, heal=lambda play: play.kept["stranger"].close(), lasts_seconds=2),
    _fault("host key changed in mid-run", strike=_change_host_key, met=_not_ready,
          heal=lambda play: _with_host_key(play, play.kept["host key"])),
    _fault("Secret changed to a key that the site does not know", strike=_change_secret, met=_not_ready,
          heal=lambda play: _secret(play, play.node.private_key)),
    _fault("Secret removed", strike=_remove_secret, heal=lambda play: _secret(play, play.node.private_key), lasts_seconds=2.5),
    _fault("key revoked on the login node", strike=_revoke_key, met=_not_ready,
          heal=lambda play: play.node.write("ssh/authorized_keys", play.kept["keys"])),
)
