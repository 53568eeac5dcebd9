"""A third kind of owners of Runs, which the product does not know: `python -m product.trial` is `fairlead controller` with one more row.

A Trial runs a script, and says in words of its own what becomes of it. It can neither be suspended nor set off again by its user, and has
no time to live. All that a kind gives is here: its definition, owner, reader, report and request, and the rights of the controller.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, ClassVar, Literal, cast

from pydantic import Field

from fairlead.api.crd import Resource, definition
from fairlead.api.v1alpha1.meta import ApiModel, AttemptStatus, ClusterReference, ObjectMeta, OwnerStatus, RunStatus
from fairlead.app import program
from fairlead.app.kinds import KINDS
from fairlead.cli import main
from fairlead.domain.conditions import Says, moment, told
from fairlead.domain.kinds import Kind, Kinds, Report
from fairlead.domain.objects import EventNote
from fairlead.domain.pacing import Now
from fairlead.domain.run import news as said
from fairlead.domain.run.reading import read_owner
from fairlead.domain.run.request import Resources, RunRequest
from fairlead.domain.run.run import RunState
from fairlead.domain.run.watched import WatchedOwner
from fairlead.kube.rights import RIGHTS, Reach
from product import faulty
from product.account import Plane, user_of
from product.waiting import until

NAME, PLURAL = "Trial", "trials"
PROGRAM = ("-m", "product.trial", "controller")
WORDS = {"Complete": "Done", "Failed": "Broken", "Running": "Busy"}
"""Its conditions, by those of a Job that mean the same."""


class TrialSpec(ApiModel):
    """What to run, and where."""

    cluster_ref: ClusterReference
    script: str
    memory: str | None = None
    extra_options: dict[str, str] = Field(default_factory=dict)
    deletion_policy: Literal["Cancel", "Orphan"] = "Cancel"
    deletion_deadline_seconds: int = 600
    cancellation_grace_period_seconds: int = 30

    @property
    def suspend(self) -> bool:
        """Never."""
        return False


class TrialBody(ApiModel):
    """The whole object."""

    metadata: ObjectMeta
    spec: TrialSpec
    status: OwnerStatus = OwnerStatus()


@dataclass(frozen=True, slots=True)
class Trial(WatchedOwner):
    """One Trial as it was last read."""

    spec: TrialSpec

    ENDS: ClassVar[tuple[str, ...]] = ("Done", "Broken")
    kind = NAME
    infrastructure_retries = 3


def read(body: Mapping[str, Any]) -> Trial:
    """From what the API server sends."""
    return read_owner(Trial, TrialBody, PLURAL, body)


def request(trial: Trial, _text: str | None) -> RunRequest:
    """Its script, with what little it asks for."""
    nothing = dict.fromkeys(name for name, each in vars(Resources).items() if isinstance(each, property))
    asked = {"exclusive": False, "memory": trial.spec.memory, "extra_options": trial.spec.extra_options}
    return RunRequest(trial.key, trial.owner, cast("Resources", SimpleNamespace(**nothing | asked)), trial.spec.script)


def report(trial: Trial, news: said.News, now: Now) -> Report:
    """A status in words of its own; an Event of each thing that changes no status."""
    run = trial.status.run if trial.status.run and trial.is_begun else RunStatus(key=str(trial.key), attempt=trial.key.attempt)
    handed_in = Says("Submitted", True, "Taken")
    match news:
        case said.Begun():
            return _told(trial, now, "Wanted", Says("Submitted", False, "Wanted"), run=run)
        case said.Accepted(run_id):
            return _told(trial, now, "Taken", handed_in, run=run.having(id=run_id), next_retry_time=None)
        case said.Live(row):
            busy = row.state in {RunState.RUNNING, RunState.FINISHING}
            return _told(trial, now, "Taken", handed_in, Says("Busy", busy, "Seen"), run=run.having(id=row.id, state=row.word))
        case said.Completed(ended):
            return _told(trial, now, "Over", handed_in, Says("Done", True, "Zero"), run=run.having(id=ended.finished.id))
        case said.Failed(_, over):
            return _told(trial, now, "Over", Says("Broken", True, over.reason, over.message), run=run)
        case said.Retried(closing, again):
            following = RunStatus(key=str(trial.key.next), attempt=trial.key.next.attempt)
            closed = AttemptStatus.model_validate(run.model_dump() | {"without_end": closing.without_end or None})
            return _told(trial, now, "Wanted", Says("Submitted", False, "Again", again.message), run=following,
                         attempts=(*trial.status.attempts, closed)[-5:], next_retry_time=moment(now.wall + again.pause_seconds),
                         failures=again.failures or None, infrastructure_failures=again.infrastructure_failures or None)
        case said.Waiting(reason, message) | said.Beset(reason, message):
            return _told(trial, now, trial.status.phase or "Wanted", Says("Submitted", bool(trial.run_id), reason, message))
        case said.Duplicated() | said.ToldToEnd() | said.LeftAlone() | said.LetGo():
            return Report(events=(EventNote("Warning", type(news).__name__, repr(news)),))
    return Report()


def _told(trial: Trial, now: Now, phase: str, *says: Says, **fields: object) -> Report:
    conditions = told(trial.status.conditions, says, now.wall, trial.generation)
    status = trial.status.having(phase=phase, conditions=conditions, host=trial.host or None, **fields)
    return Report(None if status == trial.status else status)


TRIAL: Kind[Trial] = Kind(NAME, ("Wanted", "Taken", "Over"), ("Over",), read, report, request)


def install(plane: Plane) -> None:
    """Have an API server know Trials, and the controller's account see to them as to Jobs."""
    resource = Resource(NAME, PLURAL, "trial", "flt", "A script to be tried.", TrialSpec, OwnerStatus, (),
                        (".spec.clusterRef.name", ".spec.clusterRef.namespace", ".status.phase"))
    rules = [replace(each, resource=each.resource.replace("jobs", PLURAL)).rule() for each in RIGHTS
             if each.reach is Reach.ALL and each.resource.startswith("jobs")]
    rbac, name = "rbac.authorization.k8s.io", {"metadata": {"name": "trials"}}
    _, _, namespace, account = user_of().split(":")
    binding = {"roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "trials"},
               "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}]}
    made = [definition(resource), {"apiVersion": f"{rbac}/v1", "kind": "ClusterRole", **name, "rules": rules},
            {"apiVersion": f"{rbac}/v1", "kind": "ClusterRoleBinding", **name, **binding}]
    plane.kubectl("apply", "--server-side", "--filename", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": made}))
    asked = ("auth", "can-i", "list", f"{PLURAL}.fairlead.dev", f"--as={user_of()}", "--all-namespaces")
    until(lambda: plane.kubectl("get", PLURAL, check=False).returncode == 0 and plane.kubectl(*asked, check=False).returncode == 0,
          "Trials to be served")


if __name__ == "__main__":
    parts = program.Parts(Kinds(*KINDS, TRIAL), faulty.compose if faulty.VARIABLE in os.environ else program.compose)
    program.run.__defaults__ = (parts,)
    main()
