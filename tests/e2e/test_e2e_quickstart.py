"""What the docs say to type on a cluster that is there, typed as it stands: with the settings of production."""

import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest
import yaml

from bed import metricsproxy
from bed.slurm import SlurmCluster
from bed.sshd import SshHost
from e2e import earlier
from e2e.desk import CHECKOUT, Desk, comments, lines
from e2e.installation import CHART, Installation, Release
from e2e.place import OnNode, Place
from product.api import Api
from product.remains import remains_on
from product.scene import Scene, Thing
from product.waiting import until

pytestmark = pytest.mark.timeout(300)

NAMESPACE = "fairlead"
PAGE = "install.md"
FIVE = lines(PAGE, "In five commands")


@pytest.fixture(scope="module")
def desk(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A person's, whose cluster's nodes have the image under the name that it is published by."""
    if place.built is None:
        pytest.skip("the cluster's nodes cannot be given the image under its published name")
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
    published = earlier.again(place.built, place.bed.folder / "published.tar", f"{values['image']['repository']}:{version}")
    place.load(published.archive)
    published.archive.unlink()
    desk = Desk(place, f"lab-{uuid4().hex[:6]}", tmp_path_factory.mktemp("desk"))
    desk.set_up()
    return desk


@pytest.fixture(scope="module")
def installed(desk: Desk, place: Place, logins: list[SlurmCluster], box: SshHost) -> Iterator[Installation]:
    """By the first of the five commands, as late as the test types it; at the end uninstalled, by what the page says."""
    installation = Installation(place, NAMESPACE, Release(CHART, place.image, {}))
    yield installation
    [uninstall] = lines(PAGE, "Uninstall")
    desk.types(uninstall)
    until(lambda: installation.left() == [], "nothing to be left in the cluster by an uninstall", 60)
    [definitions] = [row.split("`")[-2] for row in (CHECKOUT / "docs" / PAGE).read_text().splitlines() if "`kubectl delete crd" in row]
    desk.types(definitions)
    place.kubectl("delete", "namespace", NAMESPACE)
    left = [f"{host.name}: {each}" for host in (*logins, box) for each in remains_on(host, connected=False)]
    assert left == [], "an uninstall left something on a host"


@pytest.fixture
def scene(desk: Desk, installed: Installation, place: Place) -> Iterator[Scene]:
    """The person's namespace. In the end all is deleted; while a Cluster is there, its Jobs' folders may stay a minute."""
    api = Api(place.kubeconfig)
    scene = Scene(api, desk.namespace).open()
    yield scene
    desk.types("kubectl delete flj --all")
    desk.types("kubectl delete flc --all")
    scene.close()
    api.close()


def test_five_commands_lead_to_an_end_that_is_told(
    desk: Desk, scene: Scene, logins: list[SlurmCluster], box: SshHost, measured: dict[str, str],
) -> None:
    """Whoever follows the quickstart would be stopped by one of its lines, or not see their first Job end; or by the next examples."""
    assert len(FIVE) == 5
    desk.key(logins[0].private_key)
    desk.fill_in("01-hello", logins[0])
    scene.nodes["hpc"] = (logins[0],)
    began = time.monotonic()
    for line in FIVE:
        desk.types(line)
    ended = Thing(scene, "jobs", "hello").wait_ended(120)
    measured["the five commands of the quickstart, until the Job of 3 s is Complete"] = f"{time.monotonic() - began:.1f} s"
    assert ended["logs"]["tail"].startswith(f"Hello from {logins[0].name}, job {ended['run']['id']} of 1 node(s)\n")
    assert "Complete" in desk.types("kubectl get flj hello -o wide")
    for line in lines(PAGE, "Upgrade"):
        desk.types(line)

    one_that_is_tried_again(desk, scene, logins[0].home / "stubborn.step")
    steps_of_a_pipeline(desk, scene)
    desk.types("kubectl delete flj hello")
    a_bare_host(desk, scene, box)


@pytest.mark.long(of=0)
@pytest.mark.timeout(600)   # the first time a proxy is built for it
def test_metrics_are_for_those_who_prove_who_they_are(desk: Desk, installed: Installation) -> None:
    """Whoever follows examples/04-metrics would open the metrics to everybody, or get none. A NetworkPolicy closes the plain port."""
    if not isinstance(desk.place, OnNode):
        pytest.skip("the cluster's nodes cannot be given an image of the proxy")
    if not installed.pods():
        desk.types(FIVE[0])
    archive = desk.place.bed.folder / "proxy.tar"
    metricsproxy.archive(desk.place.bed, archive)
    desk.place.load(archive)
    archive.unlink()
    desk.types("helm upgrade fairlead charts/fairlead --namespace fairlead --reset-then-reuse-values --wait"
               " --values examples/04-metrics/values.yaml")
    desk.types("kubectl apply -f examples/04-metrics/rights.yaml")
    desk.types("kubectl create namespace monitoring && kubectl create serviceaccount prometheus --namespace monitoring")
    tokens = {name: desk.types(f"kubectl create token {name} --namespace monitoring").strip() for name in ("default", "prometheus")}
    address = f"https://{installed.pods()[0]['status']['podIP']}:8443/metrics"
    until(lambda: answered(address, tokens["prometheus"])[0] == 200, "the metrics for who may read them", 60)
    assert "fairlead_leading" in answered(address, tokens["prometheus"])[1]
    assert [answered(address, token)[0] for token in ("", "made.up.token", tokens["default"])] == [401, 401, 403]
    assert answered(address.replace("/metrics", "/readyz"), tokens["prometheus"])[0] == 404
    desk.types("kubectl delete -f examples/04-metrics/rights.yaml && kubectl delete namespace monitoring")


def one_that_is_tried_again(desk: Desk, scene: Scene, step: Path) -> None:
    """examples/02-stubborn: it makes room when it is told to, and goes on where it was; of its steps all but one were done before."""
    apply, _, suspend = comments("02-stubborn")
    step.unlink(missing_ok=True)
    desk.types(apply, where="examples/02-stubborn")
    job = Thing(scene, "jobs", "stubborn")
    job.wait("Running")
    desk.types(suspend)
    job.wait("Suspended")
    step.write_text("20\n")
    desk.types(suspend.replace("true", "false"))
    assert job.wait_ended(120)["phase"] == "Complete", job.status
    assert job.status["logs"]["tail"] == "done\n"


def steps_of_a_pipeline(desk: Desk, scene: Scene) -> None:
    """The Jobs of examples/gitops, one after the other as GitOps tools apply them."""
    for name in ("1-prepare", "2-train"):
        [path] = (desk.folder / "examples/gitops/jobs" / name).glob("*.yaml")
        path.write_text(path.read_text().replace("namespace: physics", f"namespace: {scene.namespace}"))
        desk.types(f"kubectl apply -f examples/gitops/jobs/{name}")
        desk.types("kubectl wait --for=condition=Complete --timeout=120s flj --all")


def a_bare_host(desk: Desk, scene: Scene, box: SshHost) -> None:
    """examples/03-bare-host."""
    desk.key(box.private_key)
    desk.fill_in("03-bare-host", box)
    scene.nodes["box"] = (box,)
    [secret] = comments("03-bare-host")
    desk.types(secret)
    desk.types("kubectl apply -f examples/03-bare-host")
    ended = Thing(scene, "jobs", "hello").wait_ended(120)
    assert (ended["phase"], f"I am {box.user}, and I work in" in ended["logs"]["tail"]) == ("Complete", True), ended


def answered(address: str, token: str) -> tuple[int, str]:
    """Status and text of a page, asked for with a token; 0 while nobody answers. The proxy's certificate is its own."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    asked = Request(address, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urlopen(asked, context=trusting, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""
