"""If a `#SBATCH` line is read otherwise than sbatch reads it, a script that works today runs with other options under Fairlead."""

import re

import pytest

from fairlead.domain.errors import UserFault
from fairlead.schedulers.sbatch import directives
from fairlead.schedulers.sbatch.directives import Directive


def script(*lines):
    return "\n".join(("#!/bin/bash", *lines, "echo hello", "#SBATCH --too-late", ""))


@pytest.mark.parametrize(("lines", "expected"), [
    pytest.param([], [], id="no directive"),
    pytest.param(["#SBATCH --time=10"], [Directive(2, ("--time=10",))], id="one"),
    pytest.param(["#SBATCH-J x"], [Directive(2, ("-J", "x"))], id="no blank behind the mark"),
    pytest.param(["#SLURM -J x"], [Directive(2, ("-J", "x"))], id="the mark of old"),
    pytest.param(["  #SBATCH -J x"], [], id="not in the first column"),
    pytest.param(["##SBATCH -J x", "# SBATCH -J y", "#sbatch -J z"], [], id="comments that look alike"),
    pytest.param(["#SBATCH"], [], id="a mark alone"),
    pytest.param(["", "  ", "# a comment", "  # another", "#SBATCH -s"], [Directive(6, ("-s",))], id="blank lines and comments go before"),
    pytest.param(["set -e", "#SBATCH -s"], [], id="a command ends the directives"),
    pytest.param(["  : # x", "#SBATCH -s"], [], id="so does an indented one"),
    pytest.param(["#SBATCH -N 2\t--mem=4G   -t10"], [Directive(2, ("-N", "2", "--mem=4G", "-t10"))], id="several options, blanks and tabs"),
    pytest.param(["#SBATCH -N 2  "], [Directive(2, ("-N", "2"))], id="blanks at the end"),
    pytest.param(["#SBATCH -J \"a b\" -C 'c \"d'"], [Directive(2, ("-J", "a b", "-C", 'c "d'))], id="both quotes"),
    pytest.param(["#SBATCH --job-name=a\" b\"c"], [Directive(2, ("--job-name=a bc",))], id="quotes inside a word"),
    pytest.param([r"#SBATCH -J a\"b\\c"], [Directive(2, ("-J", 'a"b\\c'))], id="backslashes"),
    pytest.param([r"#SBATCH -J 'a\'b'"], [Directive(2, ("-J", "a'b"))], id="a backslash in single quotes"),
    pytest.param(["#SBATCH -J x#y -N 2"], [Directive(2, ("-J", "x"))], id="a comment inside a word"),
    pytest.param(["#SBATCH -J x # -N 2"], [Directive(2, ("-J", "x"))], id="a comment"),
    pytest.param(["#SBATCH -J 'x#y' -s"], [Directive(2, ("-J", "x#y", "-s"))], id="a quoted number sign"),
    pytest.param(["#SBATCH -J $USER`id`$(id)"], [Directive(2, ("-J", "$USER`id`$(id)"))], id="nothing is expanded"),
    pytest.param(['#SBATCH --mail-user=""'], [Directive(2, ("--mail-user=",))], id="an empty value"),
    pytest.param(["#SBATCH -J ü\u2028x"], [Directive(2, ("-J", "ü\u2028x"))], id="unicode ends neither word nor line"),
    pytest.param(["#SBATCH --ignore-pbs", "#PBS -l nodes=2"], [Directive(2, ("--ignore-pbs",))], id="PBS lines that are to be ignored"),
])
def test_a_script_is_read_as_sbatch_reads_it(lines, expected):
    assert list(directives.parse(script(*lines))) == expected


def test_a_script_of_comments_alone_is_read_to_its_end():
    assert directives.parse("#!/bin/sh\n#SBATCH -s") == (Directive(2, ("-s",)),)


@pytest.mark.parametrize(("line", "sentence"), [
    pytest.param("#SBATCH hetjob", "heterogeneous jobs are not supported", id="two jobs"),
    pytest.param("#SBATCH -N 1 HetJob", "heterogeneous jobs are not supported", id="two jobs, in other letters"),
    pytest.param("#SBATCH packjob", "heterogeneous jobs are not supported", id="two jobs, as it was called once"),
    pytest.param("#SBATCH -N 1 : -N 2", "no word may begin with a colon", id="two jobs, with a colon"),
    pytest.param("#SBATCH -J 'a b", "the quote ' is not closed", id="an open quote"),
    pytest.param('#SBATCH -J "a', 'the quote " is not closed', id="an open double quote"),
    pytest.param(r"#SBATCH -J a\ b", "put the value into quotes", id="a backslash before a blank, read differently by releases"),
    pytest.param("#SBATCH -J a\\", "put the value into quotes", id="a backslash at the end"),
    pytest.param('#SBATCH -J "" -N 1', "an empty word", id="an empty word, at which sbatch stops"),
    pytest.param("#PBS -l nodes=2", "#PBS lines are not read here", id="PBS, which sbatch translates"),
    pytest.param("#BSUB -n 2", "#BSUB lines are not read here", id="LSF, which sbatch translates"),
])
def test_a_line_that_cannot_be_taken_is_named_with_the_reason(line, sentence):
    with pytest.raises(UserFault, match=f"line 3 .*{re.escape(sentence)}"):
        directives.parse(script("# first", line))
