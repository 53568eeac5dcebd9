"""One installation of Fairlead: what the far end knows it by, and how it knows its own words there again."""

import hashlib
import hmac
from dataclasses import dataclass, field

from fairlead.domain.run import Owner, RunKey


@dataclass(frozen=True, slots=True)
class Installation:
    """Its name, which two of them may share, the uid of its API server's `kube-system`, which tells those two apart, and its secret.

    Every script of a login runs as the same user as ours, so it can write what we can. What it must not be able to say for us bears a
    proof: an HMAC-SHA-256 under the secret, in hexadecimal digits, which holds for one key alone.
    """

    name: str
    api_server: str
    secret: bytes = field(repr=False)

    def proof_of_owner(self, key: RunKey, owner: Owner) -> str:
        """What stands behind the owner in a run directory: that we have put it there, for a submission of this key."""
        return self._proof(f"owner {owner.namespace} {owner.name} {key}")

    def proof_of_leave(self, key: RunKey) -> str:
        """What `orphaned` holds: that this Run was left alone by its Job's deletionPolicy."""
        return self._proof(f"orphaned {key}")

    def check_of_leave(self, key: RunKey) -> str:
        """By what a script knows that proof when it sees it, and cannot make it: its SHA-256. Others may read along there."""
        return hashlib.sha256(self.proof_of_leave(key).encode()).hexdigest()

    def _proof(self, words: str) -> str:
        return hmac.new(self.secret, words.encode(), "sha256").hexdigest()
