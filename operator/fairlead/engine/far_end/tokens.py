"""The token of an owner's process, as it is handed over with each attempt."""

from typing import Final

from fairlead.api.v1alpha1.reasons import SessionReason
from fairlead.domain.errors import ApiFault, Conflict, Forbidden, Unavailable
from fairlead.domain.run.token import NotYet, WantedToken, token_fault
from fairlead.domain.run.watched import WatchedOwner
from fairlead.engine.ports import World

_NOT_FOUND: Final = SessionReason.TOKEN_NOT_FOUND


async def token_of(owner: WatchedOwner, wanted: WantedToken, world: World) -> str:
    """Read it; if its Secret is the owner's own, make that first.

    Raises `NotYet` while it is not there or cannot be used, `Conflict`, `Unavailable`.
    """
    place = f"Secret {owner.ref.namespace}/{wanted.name}"
    found = await (_own(owner, wanted, world) if wanted.is_own else world.data.read_secret(owner.ref.namespace, wanted.name))
    if found is None and wanted.is_own:
        raise NotYet(SessionReason.TOKEN_NAME_TAKEN, f"{place} is there, and is not of {owner.kind} {owner.ref.name}: delete or rename "
                     f"that one, or give the {owner.kind} another name, or an application.tokenSecretRef")
    if found is None:
        raise NotYet(_NOT_FOUND, f"{place} of application.tokenSecretRef does not exist: create it")
    if wanted.key not in found:
        raise NotYet(_NOT_FOUND, f"{place} has no field {wanted.key}, which is to hold the token: add it"
                     + (", or delete the Secret to have it made anew" if wanted.is_own else ""))
    if fault := token_fault(found[wanted.key]):
        raise NotYet(SessionReason.TOKEN_INVALID, f"{place}: field {wanted.key} {fault}")
    return found[wanted.key].decode()


async def _own(owner: WatchedOwner, wanted: WantedToken, world: World) -> "dict[str, bytes] | None":
    if world.tokens is None:
        raise NotYet(SessionReason.TOKEN_REFUSED, "this controller makes no Secrets for tokens: write application.tokenSecretRef")
    try:
        found = await world.tokens.own(owner.ref, owner.kind, wanted.name)
    except Forbidden as fault:
        raise NotYet(SessionReason.TOKEN_REFUSED, f"{fault}: or write application.tokenSecretRef") from fault
    except (Conflict, Unavailable):
        raise
    except ApiFault as fault:
        raise NotYet(SessionReason.TOKEN_REFUSED, str(fault)) from fault
    return None if found is None else dict(found)
