"""If an option is misread, sbatch is given something else than what the user's script says."""

import re

import pytest
from slurm_golden import in_every_release

from fairlead.api.v1alpha1 import owned_options
from fairlead.schedulers.sbatch import vocabulary
from fairlead.schedulers.sbatch.vocabulary import Option, Takes

HELP = re.compile(r"^(?:  -(?P<letter>\w), |      )--(?P<name>[a-z][a-z-]+)(?P<value>\[?=?)", re.MULTILINE)
HELP_HIDES_THE_VALUE = {"container", "container-id"}


@pytest.mark.parametrize("golden", in_every_release("help-sbatch"), ids=str)
def test_every_option_in_sbatchs_help_is_known(golden):
    shown = list(HELP.finditer(golden.stdout))
    assert len(shown) > 80
    for option in shown:
        assert option["name"] in vocabulary.NAMES
        assert not option["letter"] or vocabulary.LETTERS[option["letter"]] == option["name"]
        if option["value"] == "=":
            assert vocabulary.NAMES[option["name"]] is Takes.VALUE, option["name"]
        elif not option["value"] and option["name"] not in HELP_HIDES_THE_VALUE:
            assert vocabulary.NAMES[option["name"]] is not Takes.VALUE, option["name"]


def test_every_option_that_fairlead_owns_is_known_by_name_and_letter():
    for option in owned_options.OWNED_OPTIONS:
        assert option.name in vocabulary.NAMES
        assert not option.letter or vocabulary.LETTERS[option.letter] == option.name


@pytest.mark.parametrize(("words", "expected"), [
    pytest.param([], [], id="nothing"),
    pytest.param(["--time=10"], [Option("time", "10")], id="long with ="),
    pytest.param(["--time", "10"], [Option("time", "10")], id="long with a blank"),
    pytest.param(["-t10"], [Option("time", "10")], id="short, attached"),
    pytest.param(["-t", "10"], [Option("time", "10")], id="short with a blank"),
    pytest.param(["-t=10"], [Option("time", "=10")], id="short with =, which getopt takes for the value"),
    pytest.param(["--time", "-5"], [Option("time", "-5")], id="a value that looks like an option"),
    pytest.param(["-sOt5"], [Option("oversubscribe"), Option("overcommit"), Option("time", "5")], id="letters together"),
    pytest.param(["-sN", "2"], [Option("oversubscribe"), Option("nodes", "2")], id="letters together, the value behind"),
    pytest.param(["--nice"], [Option("nice")], id="optional value left out"),
    pytest.param(["--nice=7"], [Option("nice", "7")], id="optional value given"),
    pytest.param(["--nice", "-s"], [Option("nice"), Option("oversubscribe")], id="optional value never stands apart"),
    pytest.param(["-koff"], [Option("no-kill", "off")], id="optional value attached to a letter"),
    pytest.param(["--gres=gpu:a100:2", "--mem", "4G"], [Option("gres", "gpu:a100:2"), Option("mem", "4G")], id="two options"),
    pytest.param(["--constraint=[a|b]&c"], [Option("constraint", "[a|b]&c")], id="marks in a value"),
    pytest.param(["--dependency=afterok:1"], [Option("dependency", "afterok:1")], id="colons in a value"),
])
def test_words_are_read_as_sbatch_reads_them(words, expected):
    assert list(vocabulary.read(words)) == expected


@pytest.mark.parametrize(("words", "sentence"), [
    pytest.param(["stray"], "'stray' is no option", id="a stray word"),
    pytest.param(["--nice", "7"], "'7' is no option", id="an optional value that stands apart"),
    pytest.param(["-"], "'-' is no option", id="a dash"),
    pytest.param(["--"], "no option --", id="two dashes"),
    pytest.param(["--nope=1"], "no option --nope=1", id="an unknown name"),
    pytest.param(["-z"], "no option -z", id="an unknown letter"),
    pytest.param(["-sz"], "no option -z", id="an unknown letter behind a known one"),
    pytest.param(["--job=x"], "--job is an abbreviation: write --job-name", id="an abbreviation"),
    pytest.param(["--mem-per-c=1"], "write --mem-per-cpu", id="a longer abbreviation"),
    pytest.param(["--mem-per=1"], "write --mem-per-cpu or --mem-per-gpu", id="an abbreviation of two"),
    pytest.param(["--time"], "--time needs a value", id="no value at the end of the line"),
    pytest.param(["--time="], "--time needs a value", id="an empty value"),
    pytest.param(["-t"], "--time needs a value", id="no value behind a letter"),
    pytest.param(["--contiguous=yes"], "--contiguous takes no value", id="a value on a flag"),
])
def test_what_sbatch_would_not_take_is_refused_with_what_to_write(words, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        vocabulary.read(words)
