"""What the tools say of states, beside what the states are to a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bed.gitops import Verdict, Words
from product.states import Meant, State

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Judged:
    """States, and for each what Argo CD and Flux say."""

    states: Sequence[State]
    argo_cd: Sequence[Verdict]
    flux: Sequence[Verdict]


def judged(states: Sequence[State], words: Words, scripts: Mapping[str, str]) -> Judged:
    """Ask both tools. `scripts` are Argo CD's by kind."""
    bodies = [each.body for each in states]
    return Judged(states, words.health(scripts, bodies), words.kstatus(bodies))


def misjudged(states: Sequence[State], verdicts: Sequence[Verdict], words: Mapping[Meant, str]) -> list[str]:
    """A sentence for each state whose word is not that of `words`; the first few of them."""
    wrong = []
    for state, verdict in zip(states, verdicts, strict=True):
        if verdict.status != words[state.meant]:
            said = [f"{each['type']}={each['status']} ({each['reason']})" for each in state.body["status"].get("conditions", [])]
            wrong.append(f"a {state.body['kind']} that is {state.meant} is {words[state.meant]}, not {verdict.status} ({verdict.message}): "
                         + ", ".join(said))
    return [*wrong[:SHOWN], *([f"and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else [])]
