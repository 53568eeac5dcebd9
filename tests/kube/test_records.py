"""What must outlive the controller: the installation's name and the ledger."""

import asyncio
import json
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from fairlead.app.kinds import KINDS
from fairlead.domain.errors import ApiFault, Unavailable, UserFault
from fairlead.domain.gone.debt import Debt
from fairlead.kube.client import KubeClient
from fairlead.kube.installation import installation_name, installation_of
from fairlead.kube.ledger import Ledger, LedgerFull

from .conftest import Sandbox


def debt(key: str, since: str = "2026-01-01T00:00:00Z") -> Debt:
    return Debt(key, "science", "hpc", "Job", "science", "hello", since, "Unreachable")


async def test_the_name_is_derived_once_and_kept(sandbox: Sandbox, client: KubeClient) -> None:
    first = await installation_name(client, sandbox.namespace)
    kept = sandbox.kubectl("get", "configmap", "fairlead-installation", "-o", "jsonpath={.data.name}").stdout
    assert first == kept == await installation_name(client, sandbox.namespace)
    assert first.isalnum()


async def test_two_namespaces_of_one_cluster_have_two_names(sandbox: Sandbox, client: KubeClient) -> None:
    sandbox.plane.kubectl("create", "namespace", f"{sandbox.namespace}-b")
    names = {await installation_name(client, namespace) for namespace in (sandbox.namespace, f"{sandbox.namespace}-b")}
    sandbox.plane.kubectl("delete", "namespace", f"{sandbox.namespace}-b", "--wait=false")
    assert len(names) == 2


async def test_a_name_from_the_settings_is_kept(sandbox: Sandbox, client: KubeClient) -> None:
    assert await installation_name(client, sandbox.namespace, "lab-east") == "lab-east"
    assert await installation_name(client, sandbox.namespace) == "lab-east"


async def test_two_controllers_that_start_at_once_agree_on_a_name(sandbox: Sandbox, client: KubeClient) -> None:
    found = await asyncio.gather(*(installation_name(client, sandbox.namespace) for _ in range(6)))
    assert len(set(found)) == 1


async def test_a_new_name_in_the_settings_does_not_silently_disown_what_runs(sandbox: Sandbox, client: KubeClient) -> None:
    await installation_name(client, sandbox.namespace, "lab-east")
    with pytest.raises(UserFault, match="called 'lab-east'"):
        await installation_name(client, sandbox.namespace, "lab-west")


async def test_the_secret_is_made_once_and_never_in_anothers_place(sandbox: Sandbox, client: KubeClient) -> None:
    """Another one would prove nothing of what was left alone on the clusters: the next sweep would end it."""
    first, second = await asyncio.gather(*(installation_of(client, sandbox.namespace) for _ in range(2)))
    assert first == second == await installation_of(client, sandbox.namespace)
    assert len(first.secret) == 32
    assert first.secret.hex() not in repr(first)
    assert first.api_server == sandbox.kubectl("get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}").stdout
    sandbox.kubectl("patch", "secret", "fairlead-installation", "-p", '{"data": {"proof-key": "AAAA"}}')
    with pytest.raises(UserFault, match="not the one"):
        await installation_of(client, sandbox.namespace)
    sandbox.kubectl("delete", "secret", "fairlead-installation")
    with pytest.raises(UserFault, match="is gone"):
        await installation_of(client, sandbox.namespace)
    sandbox.kubectl("patch", "configmap", "fairlead-installation", "-p", '{"data": {"proofs": null}}')
    assert (await installation_of(client, sandbox.namespace)).secret != first.secret


@pytest.mark.parametrize("wanted", ["a b", "../x", "Ü", "-a", "a-", "x" * 33])
async def test_a_name_that_is_no_folder_name_is_refused(sandbox: Sandbox, client: KubeClient, wanted: str) -> None:
    with pytest.raises(UserFault, match="must be"):
        await installation_name(client, sandbox.namespace, wanted)


async def test_debts_are_listed_oldest_first_until_they_are_paid(sandbox: Sandbox, client: KubeClient) -> None:
    ledger = Ledger(client, sandbox.namespace, KINDS)
    assert list(await ledger.list()) == []
    younger, older = debt("b-1", "2026-02-01T00:00:00Z"), debt("a-1")
    await ledger.add([younger])
    await ledger.add([older])
    assert list(await ledger.list()) == [older, younger]
    await ledger.remove([older])
    await ledger.remove([older])
    assert list(await ledger.list()) == [younger]


async def test_a_debt_that_is_written_twice_keeps_its_age(sandbox: Sandbox, client: KubeClient) -> None:
    ledger = Ledger(client, sandbox.namespace, KINDS)
    await ledger.add([debt("a-1")])
    await ledger.add([debt("a-1", "2026-03-01T00:00:00Z")])
    assert list(await ledger.list()) == [debt("a-1")]


async def test_a_debt_for_another_reason_takes_its_place(sandbox: Sandbox, client: KubeClient) -> None:
    """Else what is paid, but for a start that nobody has seen end, would be paid again for ever."""
    ledger = Ledger(client, sandbox.namespace, KINDS)
    await ledger.add([debt("a-1")])
    await ledger.add([replace(debt("a-1", "2026-03-01T00:00:00Z"), reason="Unaccounted")])
    assert [(each.reason, each.since) for each in await ledger.list()] == [("Unaccounted", "2026-03-01T00:00:00Z")]


async def test_debts_that_are_written_at_once_are_all_kept_in_two_writes(sandbox: Sandbox, client: KubeClient) -> None:
    """Else a namespace with 200 Jobs whose cluster is away would take the API server's time, and its own, to be deleted."""
    ledger = Ledger(client, sandbox.namespace, KINDS)
    await asyncio.gather(*(ledger.add([debt(f"uid-{number}")]) for number in range(200)))
    assert len(await ledger.list()) == 200
    await asyncio.gather(*(ledger.remove([debt(f"uid-{number}")]) for number in range(200)))
    assert list(await ledger.list()) == []
    assert sandbox.kubectl("get", "configmap", "fairlead-ledger-science", check=False).returncode == 1, "each namespace would leave one"
    writes = [verb for verb, _ in sandbox.requests() if verb in {"create", "patch", "delete"}]
    assert len(writes) <= 4


async def test_two_processes_that_write_at_once_lose_nothing(sandbox: Sandbox, client: KubeClient) -> None:
    """Else a leader that sleeps and wakes could strike what its successor has just written down."""
    ledgers = [Ledger(client, sandbox.namespace, KINDS) for _ in range(2)]
    await asyncio.gather(*(ledgers[number % 2].add([debt(f"uid-{number}")]) for number in range(20)))
    await asyncio.gather(ledgers[0].remove([debt("uid-0")]), ledgers[1].add([debt("uid-20")]))
    assert {each.key for each in await ledgers[0].list()} == {f"uid-{number}" for number in range(1, 21)}


async def test_a_caller_that_is_cancelled_takes_no_other_with_it(sandbox: Sandbox, client: KubeClient) -> None:
    """Else a controller that stops could release a Job of which nothing was written down."""
    ledger = Ledger(client, sandbox.namespace, KINDS)
    first = asyncio.create_task(ledger.add([debt("a-1")]))
    await asyncio.sleep(0)
    others = [asyncio.create_task(ledger.add([debt(f"b-{number}")])) for number in range(3)]
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(*others)
    assert {each.key for each in await ledger.list()} >= {"b-0", "b-1", "b-2"}


async def test_three_thousand_debts_fit(sandbox: Sandbox, client: KubeClient) -> None:
    """Else Jobs of a cluster that is away for long would have to stay for want of a place to write them down."""
    ledger = Ledger(client, sandbox.namespace, KINDS)
    names = [(f"00000000-0000-4000-8000-{number:012d}-1", f"sweep-of-the-parameters-{number}") for number in range(3000)]
    owed = [Debt(key, "computational-physics", "hpc-east", "Job", "computational-physics", name, "2026-01-01T00:00:00Z", "Unreachable")
            for key, name in names]
    for first in range(0, 3000, 500):
        await ledger.add(owed[first:first + 500])
    await ledger.remove([owed[0]])
    assert len(await ledger.list()) == 2999


async def test_an_entry_that_a_person_broke_hides_no_other(sandbox: Sandbox, client: KubeClient) -> None:
    ledger = Ledger(client, sandbox.namespace, KINDS)
    await ledger.add([debt("a-1")])
    sandbox.kubectl("patch", "configmap", "fairlead-ledger-science", "--type=merge", "-p", '{"data":{"b-1":"what?"}}')
    assert list(await ledger.list()) == [debt("a-1")]


@pytest.mark.parametrize("change", [{"kind": "Later"}, {"reason": "Later"}, {"later": True}], ids=["kind", "reason", "field"])
async def test_an_entry_of_another_release_is_left_as_it_is(sandbox: Sandbox, client: KubeClient, change: dict[str, object]) -> None:
    """Else an older controller would do about it what it knows, which may be to cancel, or strike what only the newer one can pay."""
    ledger = Ledger(client, sandbox.namespace, KINDS)
    await ledger.add([debt("a-1"), debt("b-1")])
    read = ["get", "configmap", "fairlead-ledger-science", "-o", "json"]
    entry = json.loads(json.loads(sandbox.kubectl(*read).stdout)["data"]["b-1"]) | change
    patch = json.dumps({"data": {"b-1": json.dumps(entry)}})
    sandbox.kubectl("patch", "configmap", "fairlead-ledger-science", "--type=merge", "-p", patch)
    with capture_logs() as logs:
        assert [list(await ledger.list()) for _ in range(2)] == [[debt("a-1")]] * 2
    assert [(each["event"], each["key"]) for each in logs] == [("ledger_entry_not_understood", "b-1")], "it is told once"
    assert ledger.foreign == {"b-1"}
    await ledger.add([debt("b-1")])
    await ledger.remove([debt("a-1"), debt("b-1")])
    left = json.loads(sandbox.kubectl(*read).stdout)["data"]
    assert {key: json.loads(text) for key, text in left.items()} == {"b-1": entry}


async def test_a_full_ledger_says_so_instead_of_forgetting(sandbox: Sandbox, client: KubeClient) -> None:
    ledger = Ledger(client, sandbox.namespace, KINDS)
    await ledger.add([debt("a-1", "x" * 700_000)])
    with pytest.raises(LedgerFull, match="namespace science owes as much as it may"):
        await ledger.add([debt("b-1", "x" * 700_000)])
    assert [known.key for known in await ledger.list()] == ["a-1"]
    other = replace(debt("c-1", "x" * 700_000), namespace="arts")
    await ledger.add([other])
    assert [known.key for known in await ledger.list()] == ["a-1", "c-1"], "one namespace's debts would keep another's Jobs"
    await ledger.add([replace(debt("a-1", "y"), reason="Unaccounted")])
    assert [known.reason for known in await ledger.list()] == ["Unreachable", "Unaccounted"], "what makes room is always taken"


async def test_who_finds_no_place_in_the_ledger_takes_it_from_nobody_else(sandbox: Sandbox, client: KubeClient) -> None:
    """Else one caller's debt that is too large would keep everybody's Jobs."""
    ledger = Ledger(client, sandbox.namespace, KINDS)
    await ledger.add([debt("z-1", "x" * 700_000)])
    sizes = [10, 10, 400_000, 10, 10]
    told = await asyncio.gather(*(ledger.add([debt(f"a-{n}", "x" * size)]) for n, size in enumerate(sizes)), return_exceptions=True)
    assert [isinstance(each, ApiFault) for each in told] == [False, False, True, False, False]
    assert {known.key for known in await ledger.list()} == {"a-0", "a-1", "a-3", "a-4", "z-1"}


async def test_a_missing_namespace_is_said(client: KubeClient) -> None:
    with pytest.raises(Unavailable, match="namespace no-such-namespace"):
        await Ledger(client, "no-such-namespace", KINDS).add([debt("a-1")])
