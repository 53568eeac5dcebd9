# Says, as words for the shell that is about to be the user's script, what no shell need take over from its environment or hand on: entries whose names
# are no identifiers, such as the functions that bash exports. They go by `env`. Run in an empty environment: enter.sh PID
# Needs: nothing.
# Gives: nothing.
# shellcheck shell=sh

words=$(tr '\000\n' '\n\001' <"/proc/$1/environ" | sed -n "/^[A-Za-z_][A-Za-z0-9_]*=/d; /=/!d; s/'/'\\\\''/g; s/^/'/; s/\$/'/; p" | tr '\n\001' ' \n')
[ -z "$words" ] || printf '/usr/bin/env %s\n' "$words"
