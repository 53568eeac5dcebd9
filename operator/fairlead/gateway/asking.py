"""The questions to a process, through its tunnel, and what its answers say. A token is read when it is to be shown, and not kept."""

from dataclasses import dataclass

from fairlead.domain.cluster.address import Address, Endpoint
from fairlead.domain.errors import Forbidden
from fairlead.domain.run.service import Question
from fairlead.domain.run.token import WantedToken, token_fault
from fairlead.gateway.ports import Secrets, Streams
from fairlead.gateway.readiness import is_strange, question, shut_out, unguarded, unready
from fairlead.gateway.wanted import Wanted


@dataclass(frozen=True, slots=True)
class Heard:
    """Why a process is not ready; empty: it is. `is_strange`: what answers is another's server."""

    why: str = ""
    is_strange: bool = False


class Asking:
    """Asks all processes of a gateway."""

    def __init__(self, streams: Streams, secrets: Secrets) -> None:
        self._streams, self._secrets = streams, secrets

    async def answer(self, address: Address, target: Endpoint, session: Wanted) -> Heard:
        """See whether a stream can be opened, and ask the process.

        Raises why there is none: `Refused`, `Unreachable`, `Unreadable`; `Unavailable` while the token cannot be read.
        """
        asked = session.asked
        if asked is None:
            await self._streams.look(address, target)
            return Heard()
        line = await self._streams.ask(address, target, question(asked.path))
        if asked.token is None:
            return Heard(unready(asked.path, line))
        if why := unguarded(asked.path, line):
            return Heard(why, is_strange(line))
        return await self._shown(address, target, session.ref.namespace, asked, asked.token)

    async def _shown(self, address: Address, target: Endpoint, namespace: str, asked: Question, wanted: WantedToken) -> Heard:
        place = f"Secret {namespace}/{wanted.name}"
        try:
            found = await self._secrets.read_secret(namespace, wanted.name) or {}
        except Forbidden as error:
            return Heard(f"the token cannot be shown: {error}")
        if wanted.key not in found:
            return Heard(f"{place} has no field {wanted.key} any more, which holds the token")
        if fault := token_fault(found[wanted.key]):
            return Heard(f"{place}: field {wanted.key} {fault}")
        return Heard(shut_out(asked.path, await self._streams.ask(address, target, question(asked.path, found[wanted.key]))))
