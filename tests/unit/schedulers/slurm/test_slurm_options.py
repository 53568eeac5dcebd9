"""If an option is lost, doubled or taken from the wrong place, a Job asks the cluster for something that nobody wrote."""

import re
import subprocess
from dataclasses import replace

import pytest

from fairlead.api.v1alpha1 import owned_options
from fairlead.api.v1alpha1.job import JobSpec
from fairlead.domain.errors import UserFault
from fairlead.schedulers.sbatch import directives, options, vocabulary
from fairlead.schedulers.sbatch.options import Defaults, JobOptions

NONE = Defaults()


def built(spec=None, lines=(), defaults=NONE):
    whole = JobSpec.model_validate({"clusterRef": {"name": "site"}, "script": "#!/bin/sh\n"} | (spec or {}))
    return options.build(whole, defaults, directives.parse("\n".join(("#!/bin/sh", *lines))))


@pytest.mark.parametrize(("spec", "argv"), [
    pytest.param({}, [], id="nothing said"),
    pytest.param({"partition": "gpu,debug"}, ["--partition=gpu,debug"], id="partition"),
    pytest.param({"account": "physics"}, ["--account=physics"], id="account"),
    pytest.param({"qos": "high"}, ["--qos=high"], id="qos"),
    pytest.param({"nodes": 2}, ["--nodes=2"], id="nodes"),
    pytest.param({"ntasks": 8}, ["--ntasks=8"], id="ntasks"),
    pytest.param({"ntasksPerNode": 4}, ["--ntasks-per-node=4"], id="ntasksPerNode"),
    pytest.param({"cpusPerTask": 3}, ["--cpus-per-task=3"], id="cpusPerTask"),
    pytest.param({"memory": "4Gi"}, ["--mem=4096M"], id="memory"),
    pytest.param({"memory": "4G"}, ["--mem=3815M"], id="memory is rounded up to MiB"),
    pytest.param({"gpus": 2}, ["--gpus=2"], id="gpus"),
    pytest.param({"gres": "gpu:a100:2"}, ["--gres=gpu:a100:2"], id="gres"),
    pytest.param({"constraint": "a100&nvlink"}, ["--constraint=a100&nvlink"], id="constraint"),
    pytest.param({"exclusive": True}, ["--exclusive"], id="exclusive"),
    pytest.param({"exclusive": False}, [], id="not exclusive"),
    pytest.param({"timeLimit": "36h"}, ["--time=1-12:00:00"], id="timeLimit"),
    pytest.param({"extraOptions": {"nice": "100", "contiguous": ""}}, ["--nice=100", "--contiguous"], id="extraOptions"),
    pytest.param({"extraOptions": {"container-image": "nvcr.io#x"}}, ["--container-image=nvcr.io#x"], id="an option of a site's plugin"),
])
def test_a_field_becomes_its_option(spec, argv):
    assert list(built(spec).argv) == argv


def test_every_field_that_owns_an_option_wins_over_the_scripts():
    values = {
        "timeLimit": "2h", "memory": "1Gi", "exclusive": True, "partition": "p", "account": "a", "qos": "q", "gres": "gpu:1",
        "constraint": "c",
    }
    for owned in owned_options.OWNED_OPTIONS:
        if owned.directive is owned_options.Treatment.PASSED:
            said = "" if owned.name == "exclusive" else "=7"
            value = values.get(owned.field, 5)
            assert built({owned.field: value}, [f"#SBATCH --{owned.name}{said}"]) == built({owned.field: value})


@pytest.mark.parametrize(("spec", "lines", "argv"), [
    pytest.param({}, ["#SBATCH -p gpu -t10", "#SBATCH --mem 4G"], ["--partition=gpu", "--time=10", "--mem=4G"], id="the script's own"),
    pytest.param({}, ["#SBATCH -N1", "#SBATCH -N2"], ["--nodes=1", "--nodes=2"], id="said twice: the last counts"),
    pytest.param({"memory": "1Gi"}, ["#SBATCH --mem-per-cpu=2G"], ["--mem=1024M"], id="memory takes back that per CPU"),
    pytest.param({"exclusive": True}, ["#SBATCH -s"], ["--exclusive"], id="exclusive takes back oversubscribe"),
    pytest.param({"ntasksPerNode": 2}, ["#SBATCH --tasks-per-node=4"], ["--ntasks-per-node=2"], id="another name of the same option"),
    pytest.param({"extraOptions": {"mem-per-cpu": "1G"}}, ["#SBATCH --mem=2G"], ["--mem-per-cpu=1G"], id="extraOptions win over it"),
    pytest.param({"nodes": 2}, ["#SBATCH --gpus-per-node=2"], ["--gpus-per-node=2", "--nodes=2"], id="what does not clash"),
    pytest.param({}, ["#SBATCH --exclusive=user"], ["--exclusive=user"], id="a form that the field has not"),
])
def test_the_spec_wins_over_the_script(spec, lines, argv):
    assert list(built(spec, lines).argv) == argv


@pytest.mark.parametrize(("spec", "lines", "argv"), [
    pytest.param({}, [], ["--partition=cpu", "--account=lab"], id="nothing said"),
    pytest.param({"partition": "gpu"}, [], ["--account=lab", "--partition=gpu"], id="the spec says the partition"),
    pytest.param({}, ["#SBATCH -A mine"], ["--partition=cpu", "--account=mine"], id="the script says the account"),
    pytest.param({"account": "x"}, ["#SBATCH -p gpu"], ["--partition=gpu", "--account=x"], id="both are said"),
])
def test_the_clusters_defaults_fill_what_nobody_said(spec, lines, argv):
    assert list(built(spec, lines, Defaults("cpu", "lab")).argv) == argv


@pytest.mark.parametrize(("spec", "lines", "expected"), [
    pytest.param({}, [], JobOptions(()), id="nothing said"),
    pytest.param({}, ["#SBATCH -o out/%j.txt -e err.txt"], JobOptions((), "", "out/%j.txt", "err.txt"), id="output and error"),
    pytest.param({}, ["#SBATCH -D /scratch/me"], JobOptions((), "/scratch/me"), id="an absolute folder"),
    pytest.param({}, ["#SBATCH --chdir=sub/dir"], JobOptions((), "~/sub/dir"), id="a relative folder counts from home"),
    pytest.param({}, ["#SBATCH -D ~/sub"], JobOptions((), "~/sub"), id="a folder in the home"),
    pytest.param({}, ["#SBATCH -J run -o %x-%%x.txt"], JobOptions((), "", "run-%%x.txt"), id="the script's own name in its own path"),
    pytest.param({}, ["#SBATCH -J 50% -o %x.txt"], JobOptions((), "", "50%%.txt"), id="a percent sign in a name"),
    pytest.param({}, ["#SBATCH -o %x.txt"], JobOptions((), "", "%x.txt"), id="the Job's name in a path"),
    pytest.param({}, ["#SBATCH -o a", "#SBATCH -o b"], JobOptions((), "", "b"), id="said twice"),
    pytest.param({"stdoutPath": "/o"}, ["#SBATCH -o x -e y"], JobOptions((), "", "/o", "y"), id="the spec wins, path by path"),
    pytest.param({"workingDir": "/w", "stdoutPath": "%x"}, ["#SBATCH -J run -D /d"], JobOptions((), "/w", "%x"), id="%x of the spec"),
])
def test_paths_are_the_wrappers_not_sbatchs(spec, lines, expected):
    assert replace(built(spec, lines), job_name="") == expected


@pytest.mark.parametrize(("line", "sentence"), [
    pytest.param("#SBATCH -a 1-9", "job arrays are not supported", id="an array"),
    pytest.param("#SBATCH --wrap=true", "write spec.command", id="wrap"),
    pytest.param("#SBATCH -H", "--hold is refused", id="hold, by its letter"),
    pytest.param("#SBATCH --nope", "no option --nope", id="an unknown option"),
    pytest.param("#SBATCH --partitio=x", "write --partition", id="an abbreviation"),
    pytest.param("#SBATCH -o %t.txt", "no % patterns but", id="a pattern that is not known here"),
    pytest.param("#SBATCH -o %5x.txt", "no % patterns but", id="a width for what is no number"),
    pytest.param("#SBATCH -o out%", "no % patterns but", id="a percent sign at the end"),
    pytest.param("#SBATCH -o out/", "a file's path", id="a folder for a file"),
    pytest.param("#SBATCH -o 'a\tb'", "control characters", id="a tab in a path"),
    pytest.param("#SBATCH -D ~root/x", "not with another user's", id="another user's home"),
])
def test_a_line_is_refused_with_its_number_and_the_reason(line, sentence):
    with pytest.raises(UserFault, match=f"line 2 .*{re.escape(sentence)}"):
        built(lines=[line])


def test_a_comment_is_the_users_own():
    """Sites read project numbers and the like in it: scripts that have one could not be brought here."""
    assert built(lines=['#SBATCH --comment="project 7"']).argv == ("--comment=project 7",)
    assert built({"extraOptions": {"comment": "a|b"}}, ["#SBATCH --comment=x"]).argv == ("--comment=a|b",)


@pytest.mark.parametrize("line", [
    "--export=ALL", "--export=all", "--open-mode=append", "--open-mode=a", "--no-requeue", "--get-user-env", "--get-user-env=10L",
    "--parsable", "-Q", "--verbose",
])
def test_a_line_that_asks_for_what_is_done_anyway_is_taken(line):
    """Else scripts that work under sbatch would be refused for a line that changes nothing."""
    assert built(lines=[f"#SBATCH {line}"]) == built()


@pytest.mark.parametrize("line", ["--export=ALL,A=1", "--export=NONE", "--open-mode=truncate", "--requeue"])
def test_a_line_that_asks_for_something_else_is_refused(line):
    """Else a script would have another environment, other files or other starts than it asks for."""
    with pytest.raises(UserFault, match="is refused"):
        built(lines=[f"#SBATCH {line}"])


@pytest.mark.parametrize("value", ["singleton", "afterok:7,singleton", "afterany:7"])
def test_a_dependency_is_handed_on(value):
    """Else Jobs that are meant to run one after the other would run at once, or not at all."""
    for spec, lines in (({}, [f"#SBATCH --dependency={value}"]), ({"extraOptions": {"dependency": value}}, [])):
        assert list(built(spec, lines).argv) == [f"--dependency={value}"]


def test_the_scripts_own_name_for_its_job_is_kept_for_it():
    assert (built(lines=["#SBATCH -J train-resnet"]).job_name, built().job_name) == ("train-resnet", "")


def test_an_empty_list_of_nodes_to_leave_out_is_handed_on():
    """Scripts that a program fills in have it, and sbatch takes it."""
    assert list(built(lines=['#SBATCH --exclude=""']).argv) == ["--exclude="]


def test_every_refused_option_is_refused_by_name_and_by_letter():
    for owned in owned_options.OWNED_OPTIONS:
        value = "x" if vocabulary.NAMES[owned.name] is vocabulary.Takes.VALUE else ""
        if owned.directive is owned_options.Treatment.REFUSED and not owned.asks_for_nothing(value):
            words = [f"--{owned.name}" + (f"={value}" if value else "")] + ([f"-{owned.letter}{value}"] if owned.letter else [])
            for word in words:
                with pytest.raises(UserFault, match=re.escape(owned.because)):
                    built(lines=[f"#SBATCH {word}"])


@pytest.mark.parametrize(("extra", "sentence"), [
    *(pytest.param({owned.name: "1"}, owned.sentence, id=f"owned: {owned.name}") for owned in owned_options.OWNED_OPTIONS),
    pytest.param({"job-nam": "x"}, "write --job-name", id="an abbreviation of an owned option"),
    pytest.param({"no-requ": ""}, "write --no-requeue", id="an abbreviation of an owned flag"),
    pytest.param({"mail-user": ""}, "--mail-user needs a value", id="a value is missing"),
    pytest.param({"contiguous": "yes"}, "--contiguous takes no value", id="a flag with a value"),
    pytest.param({"nice": "1\n--uid=0"}, "on one line", id="a newline in a value"),
    pytest.param({"nice=1 --uid": "0"}, "on one line", id="an option inside a name"),
    pytest.param({"--nice": "1"}, "without the dashes", id="dashes in a name"),
    pytest.param({"Nice": "1"}, "without the dashes", id="capitals in a name"),
])
def test_extra_options_cannot_take_what_fairlead_owns(extra, sentence):
    with pytest.raises(UserFault, match=re.escape(sentence)):
        built({"extraOptions": extra})


@pytest.mark.parametrize("spec", [{"memory": "lots"}, {"memory": "0"}, {"timeLimit": "90"}, {"timeLimit": "0m"}], ids=str)
def test_a_quantity_that_slipped_past_the_schema_is_the_users_fault(spec):
    with pytest.raises(UserFault, match=r"^spec: "):
        built(spec)


@pytest.mark.parametrize("words", [
    pytest.param(["printf", "%s|", "plain"], id="plain"),
    pytest.param(["printf", "%s|", "a b", "", "$HOME", "`id`", "'", '"', "\\", "a\nb", "ü"], id="everything a shell might touch"),
])
@pytest.mark.parametrize("shell", ["dash", "bash", "sh"])
def test_a_commands_words_reach_it_untouched(shell, words, tmp_path):
    script, arguments = options.script_of_command(words[:1], words[1:])
    file = tmp_path / "script"
    file.write_bytes(script)
    done = subprocess.run([shell, str(file), *arguments], stdout=subprocess.PIPE, check=True)
    assert done.stdout.decode() == "".join(f"{word}|" for word in words[2:])
