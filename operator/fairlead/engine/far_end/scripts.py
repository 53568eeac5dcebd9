"""What an owner of Runs asks for with its current attempt: the text and the token that its kind names are read first, and checked."""

from dataclasses import replace

from fairlead.api.v1alpha1 import script_rules
from fairlead.api.v1alpha1.reasons import JobReason
from fairlead.domain.errors import UserFault
from fairlead.domain.kinds import TextRef
from fairlead.domain.run.request import RunRequest
from fairlead.domain.run.token import NotYet
from fairlead.domain.run.watched import WatchedOwner
from fairlead.engine.far_end.tokens import token_of
from fairlead.engine.ports import ClusterData, World

NO_TEXT = "it is under binaryData, since the file is not UTF-8: convert it, as by `iconv -f latin1 -t utf-8`, and make the ConfigMap anew"


async def request_of(owner: WatchedOwner, world: World) -> RunRequest:
    """What is to be prepared.

    Raises `NotYet` while a text or a token that it refers to is not there, `UserFault` for a text that sbatch would refuse, `ApiFault`.
    """
    kind = world.kinds.of(owner)
    wanted = kind.text_ref(owner)
    asked = kind.request(owner, None if wanted is None else await _read(owner, wanted, world.data))
    secret = kind.token(owner)
    if secret is None:
        return asked
    token = await token_of(owner, secret, world)
    return replace(asked, env={**asked.env, **dict.fromkeys(secret.variables, token)})


async def _read(owner: WatchedOwner, wanted: TextRef, data: ClusterData) -> str:
    place = f"ConfigMap {owner.ref.namespace}/{wanted.name}"
    found = await data.read_config_map(owner.ref.namespace, wanted.name)
    if found is None or wanted.key not in found:
        lacks = "does not exist" if found is None else f"has no field {wanted.key} (it has {', '.join(sorted(found)[:10]) or 'none'})"
        raise NotYet(JobReason.SCRIPT_REF_NOT_FOUND, f"{place} {lacks}: create it, or change the {owner.kind}'s {wanted.field}")
    text = found[wanted.key]
    if isinstance(text, bytes):
        raise UserFault(f"{place}, field {wanted.key}: {NO_TEXT}")
    if problem := script_rules.script_fault(text):
        raise UserFault(f"{place}, field {wanted.key}: {problem}")
    return text
