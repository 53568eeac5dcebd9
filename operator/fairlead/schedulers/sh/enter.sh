# The last step before the user's script: sourced by the login shell (bash, dash, ksh, zsh), or run by sh behind a csh or fish.
# The environment comes after the profile, which would win otherwise. The user's files are opened last: what the profile prints goes to Slurm's log.
# shellcheck shell=sh source=/dev/null
. "$FL_RUN/job"
cd "$FL_DIR" || exit 124
. "$FL_RUN/env"
[ "$FL_KEEP" ] || rm -f "$FL_RUN/env"
rm -f "$FL_PROFILE"             # while it is there, the profile is still being read
fl_script=$FL_RUN/script fl_stdout=$FL_OUT fl_stderr=$FL_ERR
unset FL_RUN FL_ENTER FL_DIR FL_OUT FL_ERR FL_KEEP FL_PROFILE
exec "$fl_script" "$@" >>"$fl_stdout" 2>>"$fl_stderr"
