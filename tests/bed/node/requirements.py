"""What a node needs of the machine's kernel, tried in the node's own namespaces, so that a machine without it is told in one sentence."""

from bed.errors import BedError
from bed.node.space import Space

_NEEDED = {
    "overlay file systems": "cd /var/lib/containerd && mkdir l u w m && mount -t overlay -o lowerdir=l,upperdir=u,workdir=w overlay m "
                            "&& umount m && rm -r l u w m",
    "network bridges": "ip link add bed0 type bridge && ip link delete bed0",
    "network address translation for iptables": "iptables -w -t nat -A POSTROUTING -s 192.0.2.1 -m comment --comment bed -j MASQUERADE "
                                                "&& iptables -w -t nat -D POSTROUTING -s 192.0.2.1 -m comment --comment bed -j MASQUERADE",
}


def check(space: Space) -> None:
    """Raises:
    BedError: the kernel lacks something, or forbids it to us.
    """
    for what, trial in _NEEDED.items():
        try:
            space.run("/bin/sh", "-c", trial)
        except BedError as error:
            raise BedError(f"a node cannot run here: this machine's kernel gives no {what} ({str(error).rpartition(': ')[2]})") from error
