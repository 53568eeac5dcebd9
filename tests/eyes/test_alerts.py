"""Each alert fires when it should, keeps quiet when it should, and leads to a page that says what to do: by Prometheus' own rule tests."""

import re
from dataclasses import dataclass

import pytest
import yaml
from alert_rules import ALERTS, ROOT, Alert, alerts, families, named_in, selectors

from bed.prometheus import Prometheus

WHERE = 'namespace="fairlead",job="fairlead",instance="a"'


@dataclass(frozen=True, slots=True)
class Case:
    """Series as promtool writes them, one value a minute; when the alert is still quiet, when it has fired, and what it says then."""

    alert: str
    series: dict[str, str]
    quiet: str
    fires: str
    summary: str
    labels: tuple[tuple[str, str], ...] = (("namespace", "fairlead"), ("job", "fairlead"))


def _condition(kind: str, status: str) -> str:
    return f'fairlead_clusters_in_condition{{condition="{kind}",status="{status}",{WHERE}}}'


CASES = [
    Case("FairleadNoLeader", {f"fairlead_leading{{{WHERE}}}": "1 1 1 0x30"}, "3m", "6m", "No Fairlead controller leads"),
    Case("FairleadNoLeader", {f"fairlead_leading{{{WHERE}}}": "1 1 1 stale"}, "4m", "6m", "No Fairlead controller leads", ()),
    Case("FairleadTwoLeaders", {f"fairlead_leading{{{WHERE}}}": "1x30",
                                'fairlead_leading{namespace="fairlead",job="fairlead",instance="b"}': "0 0 1x30"},
         "3m", "5m", "2 Fairlead controllers say that they lead"),
    Case("FairleadLoopStuck", {f"fairlead_loops_stuck{{{WHERE}}}": "0 0 3x30"}, "2m", "4m",
         "3 loops of a Fairlead controller or gateway are stuck"),
    Case("FairleadLoopLags", {
        f'fairlead_loop_lag_seconds_bucket{{le="0.5",{WHERE}}}': "0+120x10 1200+60x40",
        f'fairlead_loop_lag_seconds_bucket{{le="1.0",{WHERE}}}': "0+120x60",
        f'fairlead_loop_lag_seconds_bucket{{le="+Inf",{WHERE}}}': "0+120x60",
    }, "9m", "40m", "Fairlead's event loop is late by 990ms"),
    Case("FairleadClusterUnreachable", {_condition("Reachable", "False"): "0 0 2x30", _condition("Reachable", "Unknown"): "5x30"},
         "11m", "13m", "2 Clusters cannot be reached"),
    Case("FairleadClusterNeedsAPerson", {_condition("Stalled", "True"): "0 1x30", _condition("Stalled", "False"): "5x30"},
         "10m", "12m", "1 Clusters wait for a person"),
    Case("FairleadPollsLate", {f"fairlead_polls_late{{{WHERE}}}": "0 4x30"}, "5m", "7m",
         "4 logins or hosts have not answered a poll for too long"),
    Case("FairleadResidueGrows", {f"fairlead_debts_owed{{{WHERE}}}": "3x70 9x60"}, "75m", "90m",
         "What deleted Jobs may have left on clusters has grown to 9 Runs"),
    Case("FairleadResidueStays", {f"fairlead_debts_oldest_age_seconds{{{WHERE}}}": "86100+60x40"}, "10m", "18m",
         "A deleted Job may have left something on a cluster for 1d 0h 13m 0s"),
    Case("FairleadSweepHeld", {_condition("SweepHeld", "True"): "0 1x30"}, "5m", "7m",
         "On 1 Clusters suspiciously many Runs have lost their objects"),
    Case("FairleadLedgerNearFull", {f"fairlead_ledger_filled_ratio{{{WHERE}}}": "0.79 0.91x30"}, "10m", "12m",
         "A namespace's share of the ledger is 91% full"),
    Case("FairleadApiFails", {
        f'fairlead_api_request_ended_total{{method="PATCH",resource="jobs/status",outcome="ok",{WHERE}}}': "0+60x60",
        f'fairlead_api_request_ended_total{{method="PATCH",resource="jobs/status",outcome="unavailable",{WHERE}}}': "0x10 0+20x50",
        f'fairlead_api_request_ended_total{{method="GET",resource="jobs",outcome="missing",{WHERE}}}': "0+20x60",
    }, "12m", "40m", "20% of Fairlead's requests to the Kubernetes API fail"),
    Case("FairleadPlacesShort", {f'fairlead_places_awaited{{place="exec",{WHERE}}}': "0 0 7x60",
                                 f'fairlead_places_awaited{{place="key",{WHERE}}}': "1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0"},
         "15m", "20m", "7 wait without a break for a place: exec", (("namespace", "fairlead"), ("job", "fairlead"), ("place", "exec"))),
    Case("FairleadWatchMisses", {f"fairlead_watch_missed_total{{{WHERE}}}": "0x10 0+1x60"}, "35m", "60m",
         "A watch has not told of 30 changes"),
    Case("FairleadPortsNearlyGone", {
        f'fairlead_ports_of_range{{state="free",{WHERE}}}': "60x5 30 4x60",
        f'fairlead_ports_of_range{{state="in_use",{WHERE}}}': "40x5 60 60x60",
        f'fairlead_ports_of_range{{state="resting",{WHERE}}}': "0x5 10 36x60",
        f'fairlead_ports_of_range{{state="quarantined",{WHERE}}}': "0x70",
    }, "11m", "14m", "A Fairlead gateway has 96% of its ports taken"),
    Case("FairleadTunnelBroken", {f"fairlead_tunnels_broken_age_seconds{{{WHERE}}}": "0 0+60x40"}, "16m", "20m",
         "The way to a Session's process has been broken for 19m 0s"),
    Case("FairleadRestarts", {f"process_start_time_seconds{{{WHERE}}}": "1x5 2x5 3x5 4x5 5x30", f"fairlead_leading{{{WHERE}}}": "1x60",
                              'process_start_time_seconds{job="another",instance="a"}': "0+1x60"}, "20m", "30m",
         "A Fairlead controller has begun anew 4 times within an hour"),
]


def _file(case: Case) -> str:
    """The case as promtool reads it."""
    rule = alerts()[case.alert]
    told = {"exp_labels": {"severity": rule.severity, **dict(case.labels)},
            "exp_annotations": {**rule.annotations, "summary": case.summary}}
    tests = [
        {"eval_time": case.quiet, "alertname": case.alert, "exp_alerts": []},
        {"eval_time": case.fires, "alertname": case.alert, "exp_alerts": [told]},
    ]
    series = [{"series": name, "values": values} for name, values in case.series.items()]
    return yaml.safe_dump({
        "rule_files": [str(ALERTS)], "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": series, "alert_rule_test": tests}],
    }, width=1000)


def test_prometheus_takes_the_rules(prometheus: Prometheus) -> None:
    """Else a rule with a mistake would keep Prometheus from loading all of them."""
    done = prometheus.tool("check", "rules", "--lint=all", "--lint-fatal", ALERTS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(alerts())} rules found" in done.stdout


def test_each_alert_fires_when_it_should_and_not_before(prometheus: Prometheus, tmp_path) -> None:
    """Else nobody would be woken, or each night for nothing; and the words would not say what it is about."""
    files = []
    for number, case in enumerate(CASES):
        files.append(tmp_path / f"{number:02}-{case.alert}.yaml")
        files[-1].write_text(_file(case), encoding="utf-8")
    done = prometheus.tool("test", "rules", *files)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("SUCCESS") == len(CASES)


def test_a_case_that_is_wrong_is_found_wrong(prometheus: Prometheus, tmp_path) -> None:
    """The proof of the test above: an alert that does not come, and one that says something else, are told."""
    never = CASES[3]
    for number, case in enumerate([
        Case(never.alert, dict.fromkeys(never.series, "0x60"), never.quiet, never.fires, never.summary),
        Case(never.alert, never.series, never.quiet, never.fires, "something else"),
        Case(never.alert, never.series, never.fires, never.fires, never.summary),
    ]):
        file = tmp_path / f"{number}.yaml"
        file.write_text(_file(case), encoding="utf-8")
        assert prometheus.tool("test", "rules", file).returncode == 1


def test_every_alert_has_a_case() -> None:
    """A rule that nothing proves may never fire."""
    assert {case.alert for case in CASES} == alerts().keys()


@pytest.mark.parametrize("alert", alerts().values(), ids=lambda alert: alert.name)
def test_an_alert_names_what_is_there(alert: Alert) -> None:
    """An alert on a metric or a label that nobody counts is silent for ever, and looks healthy."""
    names = named_in(alert.expr)
    assert names
    assert names <= families().keys(), "metrics that do not exist"
    for name, labels in selectors(alert.expr):
        assert labels <= families()[name], f"labels that {name} does not have"


@pytest.mark.parametrize("alert", alerts().values(), ids=lambda alert: alert.name)
def test_an_alert_leads_to_a_runbook_that_says_what_to_do(alert: Alert) -> None:
    """Who is woken at three has to find a page with what it means, what users see, what to look at and what to do."""
    page = ROOT / alert.annotations["runbook"]
    text = page.read_text(encoding="utf-8")
    assert f"`{alert.name}`" in text
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == ["What it means", "What users see", "What to look at", "What to do"]
    [row] = [line for line in (ROOT / "docs/runbooks/index.md").read_text(encoding="utf-8").splitlines() if f"`{alert.name}`" in line]
    assert f"| {alert.severity} |" in row
    assert page.name in row


def test_no_runbook_is_without_its_alert() -> None:
    """A page that no alert leads to describes what is no more."""
    pages = {path.name for path in (ROOT / "docs/runbooks").glob("*.md")} - {"index.md"}
    assert pages == {alert.annotations["runbook"].rpartition("/")[2] for alert in alerts().values()}


@pytest.mark.parametrize("path", sorted((ROOT / "docs/runbooks").glob("*.md")), ids=lambda path: path.stem)
def test_a_runbook_names_metrics_that_exist(path) -> None:
    """Who follows a page would ask Prometheus for nothing."""
    named = set(re.findall(r"fairlead_[a-z_]+", path.read_text(encoding="utf-8")))
    families_without_suffix = {re.sub(r"_(bucket|sum|count)$", "", name) for name in families()}
    assert named <= families_without_suffix | families().keys()
