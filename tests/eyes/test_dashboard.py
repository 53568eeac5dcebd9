"""The dashboard asks for what is counted, in words that Prometheus understands. No Grafana is at hand here to load it."""

import re

import pytest
import yaml
from alert_rules import families, named_in, selectors
from dashboard import Query, content, queries

from bed.prometheus import Prometheus


@pytest.mark.parametrize("query", queries(), ids=str)
def test_a_panel_asks_for_what_is_counted(query: Query) -> None:
    """A person at night would look at an empty panel, and take it for good news."""
    names = named_in(query.expr)
    assert names
    assert names <= families().keys()
    for name, labels in selectors(query.expr):
        assert labels - {"namespace"} <= families()[name]
    for label in re.findall(r"\{\{(\w+)\}\}", query.legend):
        assert label in {"pod", "namespace"} | set().union(*(families()[name] for name in names))
        assert label == "pod" or re.search(rf"by \([^)]*\b{label}\b", query.expr), "the legend shows what the query keeps"


def test_prometheus_understands_every_query(prometheus: Prometheus, tmp_path) -> None:
    """A panel would show an error in place of a line. Each query goes through Prometheus' own parser, as a recording rule."""
    rules = [{"record": f"test:query{number}", "expr": query.expr} for number, query in enumerate(queries())]
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
    done = prometheus.tool("check", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(rules)} rules found" in done.stdout


def test_a_query_that_is_wrong_is_found_wrong(prometheus: Prometheus, tmp_path) -> None:
    """The proof of the test above."""
    path = tmp_path / "rules.yaml"
    path.write_text('groups: [{name: x, rules: [{record: "test:x", expr: "sum by (le (fairlead_leading)"}]}]', encoding="utf-8")
    assert prometheus.tool("check", "rules", path).returncode == 1


def test_panels_neither_overlap_nor_share_an_id() -> None:
    """Grafana would push panels about, or show one in the place of another."""
    panels = content()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_metric_of_ours_is_on_the_dashboard() -> None:
    """What is counted and shown nowhere is found by nobody."""
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for query in queries() for name in named_in(query.expr)}
    counted = {re.sub(r"_(bucket|sum|count)$", "", name) for name in families() if name.startswith("fairlead_")}
    assert counted - shown == {"fairlead_job_submitted_total", "fairlead_jobs_watched"}, "both are shown by parts"
