"""What the real controller counts while real Jobs run, fail, and lose their cluster; and that names of objects are nowhere in it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
import yaml
from alert_rules import ALERTS
from dashboard import queries
from scrape import Page

from bed.controlplane.ports import free
from bed.daemon import Daemon
from bed.prometheus import Prometheus
from bed.slurm import SlurmCluster
from bed.sshd import SshHost
from bed.state import Bed
from fairlead.api.v1alpha1.job import JobPhase
from fairlead.api.v1alpha1.reasons import ClusterCondition, ClusterReason, JobReason, SessionReason
from fairlead.api.v1alpha1.session import SessionPhase
from fairlead.domain.run.answers import SubmitWord
from fairlead.kube.client import RESOURCES
from fairlead.ssh.told import PLACES
from fairlead.telemetry.metrics import OTHER
from product.controller import Controller
from product.scene import Scene
from product.waiting import until, until_equal

WAITS = "#!/bin/sh\nuntil [ -e $HOME/enough ]; do sleep 0.1; done\n"
POLLING = {"intervalSeconds": 0.3, "maxIntervalSeconds": 0.5, "timeoutSeconds": 3}     # late after four seconds
SOON = {"deletionDeadlineSeconds": 1, "cancellationGracePeriodSeconds": 1}
QUIET = {"What Jobs wait for", "Clusters not ready", "Waits for a place, 95 %",
         "Tunnels", "Broken for", "Ports", "Clients", "What became of clients", "Bytes"}
"""Panels that are empty while all is well, and without a gateway."""
VERBS = {"probe", "submit", "observe", "cancel", "remove", "remove-tree", "sweep"}
OUTCOMES = {"ok", "failed", "missing", "conflict", "forbidden", "unavailable", "invalid"}
WORDS = {
    *map(str, JobReason), *map(str, ClusterReason), *map(str, JobPhase), *map(str, ClusterCondition), *map(str, SubmitWord), *PLACES, OTHER,
    *map(str, SessionReason), *map(str, SessionPhase), "Session",
    *RESOURCES, *(f"{each}/status" for each in RESOURCES), *VERBS, *OUTCOMES, "request", "other", "GET", "PATCH", "POST", "DELETE", "Job",
    "Cluster", "Slurm", "Process", "Normal", "Warning", "yes", "no", "True", "False", "Unknown",
}
"""All values that any label may have."""


def grown(controller: Controller, before: Page, name: str, by: float = 1.0, **labels: str) -> None:
    """Wait until a counter has grown."""
    until(lambda: Page.of(controller).value(name, **labels) >= before.value(name, **labels) + by, f"{name} {labels} to grow by {by}")


def counted_now(page: Page) -> dict[str, float]:
    """How many Jobs and Clusters there are, by how they are."""
    return {
        "running": page.value("jobs_in_phase", phase="Running"), "watched": page.value("jobs_watched"),
        "ready": page.value("clusters_in_condition", condition="Ready", status="True"),
        "reachable": page.value("sites_watched", reachable="yes"),
    }


def test_a_job_from_apply_to_its_end_is_counted_at_each_step(
        own: SlurmCluster, bare: SshHost, scene: Scene, controller: Controller) -> None:
    """A person at night would look at numbers that stand still, or at those of something else."""
    before = Page.of(controller)
    scene.cluster(own)
    scene.bare_host(bare, "host")
    jobs = [scene.job("slurm", WAITS), scene.job("process", WAITS, cluster="host")]
    for job in jobs:
        job.wait("Running")
    until_equal(lambda: counted_now(Page.of(controller)), {"running": 2, "watched": 2, "ready": 2, "reachable": 2},
                "both to be counted as running, and those of tests before not any more")
    during = Page.of(controller)
    assert 0 < during.value("oldest_poll_age_seconds") < 10
    assert during.value("loops_stuck") == 0
    for node in (own, bare):
        (node.home / "enough").touch()
    for job in jobs:
        job.wait("Complete")
    refused = scene.job("refused", partition="nowhere")
    refused.wait("Failed", reason="SubmissionRejected")
    for scheduler in ("Slurm", "Process"):
        grown(controller, before, "job_handed_in_seconds_count", scheduler=scheduler)
    grown(controller, before, "job_end_seen_seconds_count", by=2)        # what is counted is counted behind the status
    grown(controller, before, "job_ended_total", reason="SubmissionRejected")
    after = Page.of(controller)
    assert after.value("job_handed_in_seconds_count") == before.value("job_handed_in_seconds_count") + 2, "the refused one has no id"
    assert after.value("job_handed_in_seconds_sum") - before.value("job_handed_in_seconds_sum") < 60
    assert after.value("job_end_seen_seconds_count") == before.value("job_end_seen_seconds_count") + 2
    for name, labels in [
        ("submission_answered_total", {"answer": "submitted"}), ("submission_answered_total", {"answer": "refused"}),
        ("job_ended_total", {"reason": "SubmissionRejected"}), ("connect_ended_seconds_count", {"outcome": "ok"}),
        ("exec_ended_seconds_count", {"kind": "submit", "outcome": "ok"}), ("status_written_total", {"kind": "Cluster", "outcome": "ok"}),
        ("api_request_ended_total", {"method": "PATCH", "resource": "jobs/status", "outcome": "ok"}),
        ("api_request_ended_total", {"method": "POST", "resource": "events", "outcome": "ok"}),
        ("api_request_seconds_count", {"method": "PATCH"}), ("loop_lag_seconds_count", {}),
    ]:
        assert after.value(name, **labels) > before.value(name, **labels), (name, labels)


def test_a_tenant_with_many_objects_makes_no_more_series(own: SlurmCluster, scene: Scene, controller: Controller) -> None:
    """One namespace could fill Prometheus, and learn from its neighbours' metrics what they run."""
    scene.cluster(own)
    scene.job("first", suspend=True)
    until(lambda: Page.of(controller).value("jobs_watched") >= 1, "the first Job to be counted")
    before = Page.of(controller)
    for number in range(150):
        scene.job(f"many-{number}", suspend=True)
    until(lambda: Page.of(controller).value("jobs_watched") >= 151, "all Jobs to be counted", 60)
    after = Page.of(controller)
    new = {(name, labels) for name, labels in after.series.keys() - before.series.keys() if not name.endswith("_bucket")}
    assert len(new) < 20, new
    assert after.values_of_labels() <= WORDS, "a word that is in no table of ours"
    text = controller.metrics()
    for secret in (scene.namespace, "many-1", own.host, "hpc"):
        assert secret not in text


@dataclass(frozen=True, slots=True)
class Watching:
    """A real Prometheus."""

    port: int
    daemon: Daemon

    def firing(self) -> set[str]:
        """Which alerts fire."""
        try:
            return {each["labels"]["alertname"] for each in self._ask("alerts")["alerts"] if each["state"] == "firing"}
        except OSError:
            assert self.daemon.alive, self.daemon.log.read_text(encoding="utf-8")
            return {"not up yet"}

    def answer(self, query: str) -> list[Any]:
        """What it answers to a query; what it does not understand raises."""
        found: list[Any] = self._ask(f"query?{urlencode({'query': query})}")["result"]
        return found

    def _ask(self, what: str) -> Any:
        with urlopen(f"http://127.0.0.1:{self.port}/api/v1/{what}", timeout=5) as answer:
            return json.load(answer)["data"]


@pytest.fixture
def watching(bed: Bed, prometheus: Prometheus, controller: Controller) -> Iterator[Watching]:
    """A Prometheus that scrapes the controller each second, with the chart's rules but for their waits."""
    rules = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))
    for rule in rules["groups"][0]["rules"]:
        rule["for"] = "0s"
    [port] = free(1)
    folder = bed.folder / f"prometheus-{port}"
    folder.mkdir()
    (folder / "rules.yaml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    where = {"targets": [f"127.0.0.1:{controller.port}"], "labels": {"namespace": "default", "pod": "one"}}
    target = {"job_name": "fairlead", "static_configs": [where]}
    config = {"global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": ["rules.yaml"], "scrape_configs": [target]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    argv = [prometheus.server, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
    daemon = Daemon(argv, bed.env, folder / "log", cwd=folder)
    yield Watching(port, daemon)
    daemon.term(10)


def test_an_outage_is_seen_by_a_real_prometheus_and_goes_when_it_is_over(
        own: SlurmCluster, scene: Scene, controller: Controller, watching: Watching) -> None:
    """Alerts that only ever fired on made-up numbers might be deaf to the real ones, or never go again."""
    cluster = scene.cluster(own, polling=POLLING)
    scene.job("done").wait("Complete")
    job = scene.job("left", WAITS, **SOON)
    job.wait("Running")
    until(lambda: watching.firing() == set(), "nothing to be wrong", 60)
    before = Page.of(controller)
    own.link_down()
    cluster.wait("Reachable", "False", seconds=40)
    until(lambda: watching.firing() >= {"FairleadClusterUnreachable", "FairleadPollsLate"}, "both alerts to fire", 60)
    job.delete()
    owed = before.value("debts_owed")    # of other tests' namespaces, whose Clusters are gone
    until(lambda: Page.of(controller).value("debts_owed") == owed + 1, "the debt to be counted")
    until(lambda: Page.of(controller).value("debts_oldest_age_seconds") > 0, "its age to be told")
    owing = Page.of(controller)
    assert 0 < owing.value("ledger_filled_ratio") < 0.05, "of the fullest namespace, which may be another test's"
    assert owing.value("clusters_not_ready") == 1
    failed = before.value("connect_ended_seconds_count", outcome="failed")
    until(lambda: Page.of(controller).value("connect_ended_seconds_count", outcome="failed") > failed, "a connect to fail")
    own.link_up()
    cluster.wait("Ready")
    until(lambda: Page.of(controller).value("debts_owed") == owed, "the debt to be paid", 60)
    until(lambda: watching.firing() == set(), "the alerts to go", 60)
    until_equal(lambda: Page.of(controller).value("ledger_filled_ratio"), before.value("ledger_filled_ratio"), "the ledger to be as before")
    empty = [str(query) for query in queries() if not watching.answer(query.expr)]
    assert [each for each in empty if each.rpartition(" ")[0] not in QUIET] == [], "panels that show nothing after all this"
    controller.stop()
    until(lambda: "FairleadNoLeader" in watching.firing(), "an alert when nobody leads", 60)


def test_promtool_has_nothing_against_the_page(prometheus: Prometheus, controller: Controller) -> None:
    """Names and units against the conventions would mislead whoever knows other exporters."""
    until(lambda: Page.of(controller).value("loop_lag_seconds_count") > 0, "the page")
    done = prometheus.tool("check", "metrics", text=controller.metrics())
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
