"""One installation of Fairlead: what the far end knows it by, and how it knows its own words there again."""

import hashlib
import hmac
from dataclasses import dataclass, field

from fairlead.api.v1alpha1 import names
from fairlead.domain.run.run import Owner, RunKey


@dataclass(frozen=True, slots=True)
class Installation:
    """Its name, which two of them may share, the uid of its API server's `kube-system`, which tells those two apart, and its secret.

    Every script of a login runs as the same user as ours, so it can write what we can. What it must not be able to say for us bears a
    proof: an HMAC-SHA-256 under the secret, in hexadecimal digits, which holds for one key alone.
    """

    name: str
    api_server: str
    secret: bytes = field(repr=False)

    def mark_of(self, key: RunKey, owner: Owner) -> str:
        """What the file `owner` holds in a run directory: whose it is, and a proof that we have put it there for a submission of this key.

        A Job's has no kind in it, as all had before there were others.
        """
        whose = f"{owner.namespace} {owner.name} {owner.uid}"
        if owner.kind == names.JOB_KIND:
            return f"{whose} {self.proof_of_owner(key, owner)}"
        return f"{whose} {owner.kind} {self.proof_of_mark(key, f'{whose} {owner.kind}')}"

    def proof_of_owner(self, key: RunKey, owner: Owner) -> str:
        """The last word of the mark of a Job's Run."""
        return self._proof(f"owner {owner.namespace} {owner.name} {key}")

    def proof_of_mark(self, key: RunKey, words: str) -> str:
        """The last word of every other mark, behind any `words`: so each release knows the marks of all later ones for ours."""
        return self._proof(f"mark {words} {key}")

    def proof_of_leave(self, key: RunKey) -> str:
        """What `orphaned` holds: that this Run was left alone by its Job's deletionPolicy."""
        return self._proof(f"orphaned {key}")

    def check_of_leave(self, key: RunKey) -> str:
        """By what a script knows that proof when it sees it, and cannot make it: its SHA-256. Others may read along there."""
        return hashlib.sha256(self.proof_of_leave(key).encode()).hexdigest()

    @property
    def word(self) -> str:
        """By what it is told in a tree from another one of its name: each that uses a tree leaves an entry of this name there."""
        return self._proof("tree")[:16]

    def _proof(self, words: str) -> str:
        return hmac.new(self.secret, words.encode(), "sha256").hexdigest()
