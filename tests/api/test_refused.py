"""Bad manifests: the API server refuses each with a sentence that says what to write."""

import re

import pytest

from fairlead.api import crd
from fairlead.api.v1alpha1.schema import VALIDATIONS

from .manifests import FINGERPRINT, WHOLE_JOB, cluster, job, session

NAME = "spec.{0} in body should be at least 1 chars long"
AT_LEAST_ONE = "spec.{0} in body should be greater than or equal to 1"
EXACTLY_ONE = "write exactly one of script, scriptRef and command"
VARIABLE = "the name of a variable is made of letters, digits and _ and does not start with a digit"
MEMORY = "memory is a Kubernetes quantity from 1Mi to 1000Pi, such as 4Gi, 500Mi or 4G; a number without a unit counts bytes"
TIME = (
    'timeLimit is a length of time above zero with its unit: write 90m, 36h or 1d12h, or as sbatch does "12:00:00" or "1-12:00:00"; '
    "a bare number is refused"
)
WORKING_DIR = "workingDir is an absolute path on the cluster, or one that starts with ~/ for the user's home, on one line"
OUTPUT = "{0} is a file's path on one line, with no % patterns but %j %J %A %a %x %u %N %%"
OPTION = (
    "extraOptions holds sbatch's long options without the dashes, each with its value: nice: \"100\", mail-type: END; "
    'a flag has the value ""'
)
HOST = "host is a host name or an IP address alone, such as login.hpc.example.org; the port goes into port"
USER = "user is a login name on the cluster, of letters, digits and . _ @ + \\ - only"
KEYS = {"fingerprints": ["SHA256:" + "A" * 43]}
NO_HOST_KEYS = "write hostKeys, by which the server's host key is recognised: no host key is accepted unseen"
HOST_KEYS = "write exactly one of knownHosts, knownHostsSecretRef and fingerprints: no host key is accepted unseen"
INTERVAL = "write at least 0.2 seconds"
INTERVALS = "maxIntervalSeconds may not be below intervalSeconds: raise it or lower intervalSeconds"
WORK_DIR = (
    "workDir is an absolute path, or one that starts with ~/ for the user's home, of letters, digits and . _ @ + - only, "
    "without a slash at its end"
)
BIN_PATH = "binPath is the absolute path of the folder that holds sbatch, such as /opt/slurm/bin, of letters, digits and . _ @ + - only"

SELECTOR = "write a selector with from: Selector, and only then"
SELECTED = "spec.allowedNamespaces.selector.matchExpressions"
VALUES = "write values with the operators In and NotIn, and none with Exists and DoesNotExist"


def selected(operator, *values):
    return {"from": "Selector", "selector": {"matchExpressions": [{"key": "team", "operator": operator, "values": list(values)}]}}


def bad(name, manifest, path, sentence):
    return pytest.param(manifest, path, sentence, id=name)


JOBS = [
    bad("no cluster", job(clusterRef=None), "spec.clusterRef", "Required value"),
    bad("cluster without a name", job(clusterRef={}), "spec.clusterRef.name", "Required value"),
    bad("cluster with an empty name", job(clusterRef={"name": ""}), "spec.clusterRef.name", NAME.format("clusterRef.name")),
    bad("cluster of a namespace without a name", job(clusterRef={"name": "hpc", "namespace": ""}), "spec.clusterRef.namespace",
        NAME.format("clusterRef.namespace")),
    bad("nothing to run", job(script=None), "spec", EXACTLY_ONE),
    bad("two things to run", job(command=["true"]), "spec", EXACTLY_ONE),
    bad("script and scriptRef", job(scriptRef={"name": "a", "key": "b"}), "spec", EXACTLY_ONE),
    bad("scriptRef without a key", job(script=None, scriptRef={"name": "a"}), "spec.scriptRef.key", "Required value"),
    bad("args with a script", job(args=["a"]), "spec.args",
        "args stand beside command only: write what a script needs into the script, or into env"),
    bad("empty script", job(script=""), "spec.script", "the script is empty: write #!/bin/bash as its first line and the commands below"),
    bad("blank script", job(script=" \n\n"), "spec.script",
        "the script is empty: write #!/bin/bash as its first line and the commands below"),
    bad("script without an interpreter", job(script="echo hello\n"), "spec.script",
        "the script names no interpreter: write its first line as #!/bin/bash, or whichever program is to read it"),
    bad("script with a byte-order mark", job(script="\ufeff#!/bin/sh\n"), "spec.script",
        "the script starts with a byte-order mark: save it as UTF-8 without BOM"),
    bad("script with Windows line ends", job(script="#!/bin/sh\r\ntrue\r\n"), "spec.script",
        "the script has Windows line ends (CR LF): write plain line feeds, for example by dos2unix"),
    bad("script with NUL", job(script="#!/bin/sh\n\0"), "spec.script",
        "the script holds a NUL character, which no shell can read: remove it"),
    bad("script above 1 MiB", job(script="#!/bin/sh\n" + "é" * 524_288), "spec.script",
        "the script is larger than 1 MiB of UTF-8, more than Kubernetes can keep in an object (a ConfigMap holds no more): "
        "copy the bulk to the cluster and let the script call it there"),
    bad("empty command", job(script=None, command=[]), "spec.command",
        "command starts with the program to run: write it as the first entry"),
    bad("command without a program", job(script=None, command=["", "a"]), "spec.command",
        "command starts with the program to run: write it as the first entry"),
    bad("command with NUL", job(script=None, command=["a\0b"]), "spec.command",
        "an entry of command may not hold a NUL character: no program could read it"),
    bad("argument with NUL", job(script=None, command=["a"], args=["\0"]), "spec.args",
        "an entry of args may not hold a NUL character: no program could read it"),
    bad("variable that starts with a digit", job(env=[{"name": "1A"}]), "spec.env[0].name", VARIABLE),
    bad("variable with a dash", job(env=[{"name": "A"}, {"name": "A-B"}]), "spec.env[1].name", VARIABLE),
    bad("variable with a line end", job(env=[{"name": "A\nB"}]), "spec.env[0].name", VARIABLE),
    bad("variable without a name", job(env=[{"name": ""}]), "spec.env[0].name", VARIABLE),
    bad("variable of the shell", job(env=[{"name": "UID", "value": "0"}]), "spec.env[0].name",
        "shells keep BASHOPTS, BASH_VERSINFO, EUID, PPID, SHELLOPTS and UID for themselves: choose another name"),
    bad("variable twice", job(env=[{"name": "A"}, {"name": "A"}]), "spec.env[1]", 'Duplicate value: {"name":"A"}'),
    bad("value with NUL", job(env=[{"name": "A", "value": "a\0b"}]), "spec.env[0].value",
        "the value of a variable may not hold a NUL character: no program could read it"),
    bad("value that is a number", job(env=[{"name": "A", "value": 1}]), "spec.env[0].value",
        'spec.env[0].value in body must be of type string: "integer"'),
    bad("relative working directory", job(workingDir="data"), "spec.workingDir", WORKING_DIR),
    bad("working directory with a line end", job(workingDir="/a\nb"), "spec.workingDir", WORKING_DIR),
    bad("home of somebody else", job(workingDir="~bob/data"), "spec.workingDir", WORKING_DIR),
    bad("output into a folder", job(stdoutPath="logs/"), "spec.stdoutPath", OUTPUT.format("stdoutPath")),
    bad("output with an unknown pattern", job(stdoutPath="%q.out"), "spec.stdoutPath", OUTPUT.format("stdoutPath")),
    bad("error output with a width for what is no number", job(stderrPath="%4x.err"), "spec.stderrPath", OUTPUT.format("stderrPath")),
    bad("empty error output", job(stderrPath=""), "spec.stderrPath", OUTPUT.format("stderrPath")),
    bad("login shell as a word", job(loginShell="yes"), "spec.loginShell", 'spec.loginShell in body must be of type boolean: "string"'),
    bad("partition with a space", job(partition="a b"), "spec.partition",
        "partition is a partition's name, or several with commas between, without spaces"),
    bad("account with a line end", job(account="a\n"), "spec.account", "account is an account's name, without spaces"),
    bad("empty qos", job(qos=""), "spec.qos", "qos is the name of a quality of service, without spaces"),
    bad("no nodes", job(nodes=0), "spec.nodes", AT_LEAST_ONE.format("nodes")),
    bad("nodes as a string", job(nodes="2"), "spec.nodes", 'spec.nodes in body must be of type integer: "string"'),
    bad("no tasks", job(ntasks=0), "spec.ntasks", AT_LEAST_ONE.format("ntasks")),
    bad("less than no tasks on a node", job(ntasksPerNode=-1), "spec.ntasksPerNode", AT_LEAST_ONE.format("ntasksPerNode")),
    bad("no cpus", job(cpusPerTask=0), "spec.cpusPerTask", AT_LEAST_ONE.format("cpusPerTask")),
    bad("no gpus", job(gpus=0), "spec.gpus", AT_LEAST_ONE.format("gpus")),
    bad("gpus of a type", job(gpus="a100:2"), "spec.gpus", 'spec.gpus in body must be of type integer: "string"'),
    bad("gres with a space", job(gres="gpu: 2"), "spec.gres",
        "gres is written as sbatch --gres takes it, without spaces: gpu:2, gpu:a100:1, or several with commas between"),
    bad("constraint with a separator", job(constraint="a\x1fb"), "spec.constraint",
        "constraint is written as sbatch --constraint takes it, on one line: a100&nvlink"),
    bad("memory with a suffix of nobody", job(memory="4GB"), "spec.memory", MEMORY),
    bad("memory meant as megabytes", job(memory=4096), "spec.memory", MEMORY),
    bad("no memory", job(memory="0"), "spec.memory", MEMORY),
    bad("memory without end", job(memory="1e9999999999"), "spec.memory", MEMORY),
    bad("time limit as a number", job(timeLimit=90), "spec.timeLimit", TIME),
    bad("time limit as a number in quotes", job(timeLimit="90"), "spec.timeLimit", TIME),
    bad("time limit of zero", job(timeLimit="0h"), "spec.timeLimit", TIME),
    bad("time limit in words", job(timeLimit="1 day"), "spec.timeLimit", TIME),
    bad("time limit of many digits", job(timeLimit="1" * 20 + "h"), "spec.timeLimit",
        "timeLimit is at most 16 characters long: write it in larger units"),
    bad("option with dashes", job(extraOptions={"--nice": "1"}), "spec.extraOptions", OPTION),
    bad("option as a letter", job(extraOptions={"J": "x"}), "spec.extraOptions", OPTION),
    bad("option with a line end", job(extraOptions={"nice": "1\n--wrap=x"}), "spec.extraOptions",
        "the value of an option is one line: remove line ends and control characters"),
    bad("option value as a number", job(extraOptions={"nice": 1}), "spec.extraOptions.nice",
        'spec.extraOptions.nice in body must be of type string: "integer"'),
    bad("option that has a field", job(extraOptions={"partition": "x"}), "spec.extraOptions",
        "extraOptions may not hold partition: write spec.partition instead"),
    bad("option whose field has another name", job(extraOptions={"mem": "1G"}), "spec.extraOptions",
        "extraOptions may not hold mem: write spec.memory instead"),
    bad("option that Fairlead decides", job(extraOptions={"requeue": ""}), "spec.extraOptions",
        "extraOptions may not hold requeue: Fairlead decides whether a job may start again"),
    bad("option for later", job(extraOptions={"array": "1-3"}), "spec.extraOptions",
        "extraOptions may not hold array: job arrays are not supported yet; apply one Job for each task"),
    bad("abbreviated option", job(extraOptions={"part": "x"}), "spec.extraOptions",
        "write an option's name in full: sbatch would take this one for an option that extraOptions may not hold"),
    bad("grace below zero", job(cancellationGracePeriodSeconds=-1), "spec.cancellationGracePeriodSeconds",
        "spec.cancellationGracePeriodSeconds in body should be greater than or equal to 0"),
    bad("grace of more than an hour", job(cancellationGracePeriodSeconds=3601), "spec.cancellationGracePeriodSeconds",
        "spec.cancellationGracePeriodSeconds in body should be less than or equal to 3600"),
]

BOX = {"hosts": [{"host": "box", "slots": 4}]}
EITHER = "a Cluster of type Slurm has endpoints and no process; one of type Process has process.hosts and no endpoints"
CLUSTERS = [
    bad("no type", cluster(type=None), "spec.type", "Required value"),
    bad("type that nobody knows", cluster(type="PBS"), "spec.type", 'Unsupported value: "PBS": supported values: "Slurm", "Process"'),
    bad("bare host with endpoints", cluster(type="Process", process=BOX), "spec", EITHER),
    bad("bare host without hosts", cluster(type="Process", endpoints=None), "spec", EITHER),
    bad("Slurm with a bare host", cluster(process=BOX), "spec", EITHER),
    bad("bare host without slots", cluster(type="Process", endpoints=None, process={"hosts": [{"host": "box"}]}),
        "spec.process.hosts[0].slots", "Required value"),
    bad("the same bare host twice", cluster(type="Process", endpoints=None, process={"hosts": [
        {"host": "a", "slots": each} for each in (1, 2)]}), "spec.process.hosts[1]", 'Duplicate value: {"host":"a","port":22}'),
    bad("no bare host", cluster(type="Process", endpoints=None, process={"hosts": []}), "spec.process.hosts",
        "spec.process.hosts in body should have at least 1 items"),
    bad("a bare host whose keys nobody names", cluster(
        type="Process", endpoints=None, hostKeys=None,
        process={"hosts": [{"host": "a", "slots": 1, "hostKeys": KEYS}, {"host": "b", "slots": 1}]},
    ), "spec.hostKeys", NO_HOST_KEYS),
    bad("no endpoint", cluster(endpoints=[]), "spec.endpoints", "spec.endpoints in body should have at least 1 items"),
    bad("nine endpoints", cluster(endpoints=[{"host": f"login{n}"} for n in range(9)]), "spec.endpoints",
        "Too many: 9: must have at most 8 items"),
    bad("the same endpoint twice", cluster(endpoints=[{"host": "a"}, {"host": "a"}]), "spec.endpoints[1]",
        'Duplicate value: {"host":"a","port":22}'),
    bad("host that is an option", cluster(endpoints=[{"host": "-oProxyCommand=x"}]), "spec.endpoints[0].host", HOST),
    bad("host that is a URL", cluster(endpoints=[{"host": "ssh://a"}]), "spec.endpoints[0].host", HOST),
    bad("host with a user", cluster(endpoints=[{"host": "ada@a"}]), "spec.endpoints[0].host", HOST),
    bad("empty host", cluster(endpoints=[{"host": ""}]), "spec.endpoints[0].host", HOST),
    bad("port 0", cluster(endpoints=[{"host": "a", "port": 0}]), "spec.endpoints[0].port", AT_LEAST_ONE.format("endpoints[0].port")),
    bad("user that is an option", cluster(user="-l"), "spec.user", USER),
    bad("user with a space", cluster(user="ada l"), "spec.user", USER),
    bad("no user", cluster(user=None), "spec.user", "Required value"),
    bad("no Secret", cluster(authSecretRef=None), "spec.authSecretRef", "Required value"),
    bad("Secret without a name", cluster(authSecretRef={"name": ""}), "spec.authSecretRef.name", NAME.format("authSecretRef.name")),
    bad("no host keys", cluster(hostKeys=None), "spec.hostKeys", NO_HOST_KEYS),
    bad("host keys of no kind", cluster(hostKeys={}), "spec.hostKeys", HOST_KEYS),
    bad("no fingerprint", cluster(hostKeys={"fingerprints": []}), "spec.hostKeys", HOST_KEYS),
    bad("jump host without host keys", cluster(proxyJump=[{"host": "b", "user": "a", "authSecretRef": {"name": "k"}, "hostKeys": {}}]),
        "spec.proxyJump[0].hostKeys", HOST_KEYS),
    bad("five jump hosts", cluster(proxyJump=5 * [
        {"host": "b", "user": "a", "authSecretRef": {"name": "k"}, "hostKeys": {"fingerprints": [FINGERPRINT]}}]), "spec.proxyJump",
        "Too many: 5: must have at most 4 items"),
    bad("host keys of two kinds", cluster(hostKeys={"knownHosts": "a", "fingerprints": [FINGERPRINT]}), "spec.hostKeys", HOST_KEYS),
    bad("fingerprint of the old kind", cluster(hostKeys={"fingerprints": ["MD5:00:11"]}), "spec.hostKeys.fingerprints",
        "a fingerprint looks as ssh-keygen -l prints it: SHA256: and 43 characters"),
    bad("host keys with NUL", cluster(hostKeys={"knownHosts": "a\0"}), "spec.hostKeys.knownHosts",
        "knownHosts is plain text, as ssh-keyscan prints it: remove the NUL character"),
    bad("no time to connect", cluster(connection={"connectTimeoutSeconds": 0}), "spec.connection.connectTimeoutSeconds", INTERVAL),
    bad("no connection", cluster(connection={"maxConnections": 0}), "spec.connection.maxConnections",
        AT_LEAST_ONE.format("connection.maxConnections")),
    bad("polls without a pause", cluster(polling={"intervalSeconds": 0.1}), "spec.polling.intervalSeconds", INTERVAL),
    bad("longest pause below the shortest", cluster(polling={"intervalSeconds": 60, "maxIntervalSeconds": 30}), "spec.polling", INTERVALS),
    bad("longest pause below the default", cluster(polling={"maxIntervalSeconds": 1}), "spec.polling", INTERVALS),
    bad("relative work folder", cluster(workDir="fairlead"), "spec.workDir", WORK_DIR),
    bad("work folder with a space", cluster(workDir="/a b"), "spec.workDir", WORK_DIR),
    bad("work folder with a variable", cluster(workDir="$HOME/fairlead"), "spec.workDir", WORK_DIR),
    bad("work folder that is the home itself", cluster(workDir="~"), "spec.workDir", WORK_DIR),
    bad("work folder with dots", cluster(workDir="/a/../b"), "spec.workDir",
        "workDir may not hold the parts . or ..: write the folder's own path"),
    bad("relative folder of sbatch", cluster(slurm={"binPath": "bin"}), "spec.slurm.binPath", BIN_PATH),
    bad("accounting in another word", cluster(slurm={"accounting": "Maybe"}), "spec.slurm.accounting",
        'Unsupported value: "Maybe": supported values: "Auto", "Required", "None"'),
    bad("default partition with a space", cluster(slurm={"defaultPartition": "a b"}), "spec.slurm.defaultPartition",
        "defaultPartition is a partition's name, without spaces: see sinfo on the cluster"),
    bad("open to namespaces in another word", cluster(allowedNamespaces={"from": "Any"}), "spec.allowedNamespaces.from",
        'Unsupported value: "Any": supported values: "Same", "All", "Selector"'),
    bad("logins of their own on a bare host", cluster(type="Process", endpoints=None, process={"hosts": [{"host": "a", "slots": 2}]},
                                                     credentials="PerNamespace"), "spec.credentials",
        "credentials: PerNamespace is for type Slurm: the slots of a bare host are handed out by one login, which knows no other's"),
    bad("credentials in another word", cluster(credentials="Private"), "spec.credentials",
        'Unsupported value: "Private": supported values: "Shared", "PerNamespace"'),
    bad("open by a selector that is not there", cluster(allowedNamespaces={"from": "Selector"}), "spec.allowedNamespaces", SELECTOR),
    bad("selector that would not count", cluster(allowedNamespaces={"selector": {}}), "spec.allowedNamespaces", SELECTOR),
    bad("selector without values", cluster(allowedNamespaces=selected("In")), SELECTED, VALUES),
    bad("selector with values that would not count", cluster(allowedNamespaces=selected("Exists", "a")), SELECTED, VALUES),
    bad("default account with a space", cluster(slurm={"defaultAccount": "a b"}), "spec.slurm.defaultAccount",
        "defaultAccount is an account's name, without spaces: see sacctmgr show associations on the cluster"),
]

PORTS = "spec.{0}.port in body should be {1}"
SERVICE_NAME = "a Session's name is its Service's, too: at most 63 small letters, digits and -, a letter first, no - at the end"
ONE_PROCESS = "write one of command and preset: command: [PROGRAM, ...] for a program of your own, or preset: Jupyter"
LABEL = "a label is as Kubernetes has it: a name of letters, digits, -, _ and ., a DNS name and / before it if any, such a value"
SESSIONS = [
    bad("a Session without a process", session(application={"command": None}), "spec.application", ONE_PROCESS),
    bad("a process and a preset", session(application={"preset": "Jupyter"}), "spec.application", ONE_PROCESS),
    bad("a preset that is none", session(application={"command": None, "preset": "Zeppelin"}), "spec.application.preset",
        'Unsupported value: "Zeppelin": supported values: "Jupyter"'),
    bad("a preset that listens nowhere", session(application={"command": None, "preset": "Jupyter", "port": None}),
        "spec.application.port", "Required value"),
    bad("a preset with its token's variable", session(application={
        "command": None, "preset": "Jupyter", "env": [{"name": "JUPYTER_TOKEN", "value": "x"}]}), "spec.application.env",
        "JUPYTER_TOKEN is the token's variable with preset: Jupyter: write tokenSecretRef, or leave it out"),
    bad("a process without a program", session(application={"command": [""]}), "spec.application.command",
        "command starts with the program to run: write it as the first entry"),
    bad("a process that listens nowhere", session(application={"port": None}), "spec.application.port", "Required value"),
    bad("port 0", session(application={"port": 0}), "spec.application.port", PORTS.format("application", "greater than or equal to 1")),
    bad("port 70000", session(application={"port": 70000}), "spec.application.port",
        PORTS.format("application", "less than or equal to 65535")),
    bad("two tokens", session(application={"token": "Generated", "tokenSecretRef": {"name": "a", "key": "b"}}), "spec.application.token",
        "write one of tokenSecretRef and token: with tokenSecretRef the token is the one in that Secret"),
    bad("the token's variable", session(application={"env": [{"name": "FAIRLEAD_TOKEN", "value": "x"}]}), "spec.application.env",
        "FAIRLEAD_TOKEN is the token's variable: write tokenSecretRef, or choose another name"),
    bad("readiness of no kind", session(application={"readiness": {}}), "spec.application.readiness",
        "write one of http and tcp: http: {path: /} or tcp: {}"),
    bad("a path that is none", session(application={"readiness": {"http": {"path": "up"}}}), "spec.application.readiness.http.path",
        "path starts with / and has no spaces: write what follows the host in a URL, as in /api/status"),
    bad("no time to start", session(startupDeadlineSeconds=0), "spec.startupDeadlineSeconds",
        "spec.startupDeadlineSeconds in body should be greater than or equal to 1"),
    bad("a short time-out", session(idleTimeoutSeconds=59), "spec.idleTimeoutSeconds",
        "idleTimeoutSeconds is 60 or more: what is shorter would end a Session while somebody reads its answer"),
    bad("a warning after the end", session(expiry={"warnBeforeSeconds": -1}), "spec.expiry.warnBeforeSeconds",
        "spec.expiry.warnBeforeSeconds in body should be greater than or equal to 0"),
    bad("a Service's port 0", session(service={"port": 0}), "spec.service.port", PORTS.format("service", "greater than or equal to 1")),
    bad("our own label", session(service={"labels": {"app.kubernetes.io/managed-by": "me"}}), "spec.service.labels",
        "app.kubernetes.io/managed-by is Fairlead's own label: choose another"),
    bad("a label that is none", session(service={"labels": {"a b": "c"}}), "spec.service.labels", LABEL),
    bad("a label's value that is none", session(service={"labels": {"a": "-c"}}), "spec.service.labels", LABEL),
    bad("a name that no Service may have", session("1-lab"), "<nil>", SERVICE_NAME),
    bad("a name that is too long for a Service", session("a" * 64), "<nil>", SERVICE_NAME),
    bad("memory that is none", session(resources={"memory": "much"}), "spec.resources.memory", MEMORY),
    bad("an option that has a field", session(resources={"extraOptions": {"array": "1-3"}}), "spec.resources.extraOptions",
        "extraOptions may not hold array: job arrays are not supported yet; apply one Job for each task"),
]

NOT_CHECKED = "* <nil>: Invalid value: null: some validation rules were not checked because the object was invalid"


@pytest.mark.parametrize(("manifest", "path", "sentence"), JOBS + CLUSTERS + SESSIONS)
def test_sentence(kubectl, manifest, path, sentence):
    """A user would not learn what to write, or the mistake would first show on the cluster."""
    answer = kubectl.offer(manifest)
    lines = [line for line in answer.stderr.splitlines() if not line.startswith(NOT_CHECKED) and not line.endswith("is invalid: ")]
    assert answer.returncode == 1
    assert len(lines) == 1, "one mistake, one sentence"
    found = re.fullmatch(r'(?:The \w+ "[^"]+" is invalid: |\* )([^ ]+): (?:Invalid value: (?:"[^ ]*"|-?[0-9.]+): )?(.*)', lines[0])
    assert found is not None, lines[0]
    assert (found[1], found[2]) == (path, sentence)


@pytest.mark.parametrize(("manifest", "field"), [
    pytest.param(job(wallTime="1h"), "spec.wallTime", id="a field that nobody knows"),
    pytest.param(job(dependencies=[]), "spec.dependencies", id="a field for later"),
    pytest.param(job(clusterRef={"name": "hpc", "cluster": "other"}), "spec.clusterRef.cluster", id="a field that a reference has not"),
    pytest.param(session(script="#!/bin/sh\ntrue\n"), "spec.script", id="a script in a Session"),
    pytest.param(session(application={"portFile": "port"}), "spec.application.portFile", id="a Session's field for later"),
    pytest.param(cluster(proxyCommand="nc"), "spec.proxyCommand", id="a field of ssh's that a Cluster has not"),
])
def test_unknown_field(kubectl, manifest, field):
    """A mistyped field would be dropped without a word, and the job would run without what it needs."""
    answer = kubectl.offer(manifest)
    assert f'strict decoding error: unknown field "{field}"' in answer.stderr


FIXED_FIELDS = {
    "clusterRef": {"name": "other"}, "script": "#!/bin/sh\nfalse\n", "env": [{"name": "A", "value": "2"}], "workingDir": "/b",
    "stdoutPath": "b", "stderrPath": "b", "loginShell": False, "partition": "b", "account": "b", "qos": "b", "nodes": 2, "ntasks": 2,
    "ntasksPerNode": 2, "cpusPerTask": 2, "memory": "2Gi", "gpus": 2, "gres": "gpu:2", "constraint": "b", "exclusive": True,
    "timeLimit": "2h", "extraOptions": {"nice": "2"}, "requeue": True,
}
CHANGEABLE_FIELDS = {
    "suspend", "priority", "backoffLimit", "infrastructureRetries", "activeDeadlineSeconds", "ttlSecondsAfterFinished",
    "cancellationGracePeriodSeconds", "deletionPolicy", "deletionDeadlineSeconds",
}
FIXED = "{0} cannot be changed once the Job exists: delete the Job and apply it again, or give it another name"


def test_what_runs_and_where_stays(kubectl, keep):
    """A manifest that was changed after the Job ran would tell another story than what ran."""
    keep(job("fixed", **WHOLE_JOB))
    for field, value in FIXED_FIELDS.items():
        changed = kubectl("replace", "--dry-run=server", "--filename=-", manifest=job("fixed", **WHOLE_JOB | {field: value}))
        assert changed.returncode == 1, field
        assert changed.stderr.strip().endswith(f'spec.{field}: Invalid value: "object": {FIXED.format(field)}')


@pytest.mark.parametrize(("first", "then", "field"), [
    pytest.param({}, {"nodes": 2}, "nodes", id="added"),
    pytest.param({"nodes": 2}, {}, "nodes", id="taken away"),
    pytest.param({"script": None, "command": ["true"]}, {"script": None, "command": ["false"]}, "command", id="another command"),
    pytest.param({"script": None, "command": ["a"]}, {"script": None, "command": ["a"], "args": ["b"]}, "args", id="arguments added"),
])
def test_fixed_field_is_neither_added_nor_taken_away(kubectl, keep, first, then, field):
    """Half of the changes would pass, since a rule on the field itself is not asked then."""
    keep(job("half", **first))
    changed = kubectl("replace", "--dry-run=server", "--filename=-", manifest=job("half", **then))
    assert FIXED.format(field) in changed.stderr


@pytest.mark.parametrize(("field", "value"), [("user", "bob"), ("workDir", "/scratch/ada"), ("credentials", "PerNamespace")])
def test_identity_of_a_cluster_stays(kubectl, keep, field, value):
    """Jobs that run under the old name or folder would be lost sight of."""
    keep(cluster("fixed"))
    changed = kubectl("replace", "--dry-run=server", "--filename=-", manifest=cluster("fixed", **{field: value}))
    sentence = f"{field} cannot be changed once the Cluster exists, since Jobs are known by it: make a Cluster with another name"
    assert changed.stderr.strip().endswith(f'spec.{field}: Invalid value: "object": {sentence}')


@pytest.mark.parametrize("change", [
    pytest.param({"clusterRef": {"name": "other"}}, id="clusterRef"), pytest.param({"application": {"port": 1}}, id="application"),
    pytest.param({"resources": {"gpus": 1}}, id="resources"),
])
def test_what_a_session_runs_and_where_stays(kubectl, keep, change):
    """A manifest that was changed after the process has started would tell another story than what runs."""
    keep(session("fixed"))
    [field] = change
    changed = kubectl("replace", "--dry-run=server", "--filename=-", manifest=session("fixed", **change))
    sentence = f"{field} cannot be changed once the Session exists: delete the Session and apply it again, or give it another name"
    assert changed.stderr.strip().endswith(f'spec.{field}: Invalid value: "object": {sentence}')
    free = {"service": {"port": 81}, "suspend": True, "maxLifetimeSeconds": 60, "startupDeadlineSeconds": 60, "idleTimeoutSeconds": 60,
            "expiry": {"warnBeforeSeconds": 60}}
    assert kubectl("replace", "--dry-run=server", "--filename=-", manifest=session("fixed", **free)).returncode == 0


def test_every_fixed_field_is_tried():
    """A new field could be left changeable without anybody noticing."""
    spec = next(crd.definition(each) for each in crd.RESOURCES if each.kind == "Job")["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    rules = spec["properties"]["spec"][VALIDATIONS]
    fixed = {rule["fieldPath"].lstrip(".") for rule in rules if "oldSelf" in rule["rule"]}
    assert fixed == FIXED_FIELDS.keys() | {"scriptRef", "command", "args"}
    assert spec["properties"]["spec"]["properties"].keys() - fixed == CHANGEABLE_FIELDS
