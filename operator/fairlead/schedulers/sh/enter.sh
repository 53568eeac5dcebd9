# The last step before the user's script: sourced by the login shell (bash, dash, ksh, zsh), or run by sh behind a csh or fish.
# The environment comes after the profile, which would win otherwise. The user's files are opened last: what the profile prints goes to Slurm's log.
# shellcheck shell=sh source=/dev/null
. "$FL_RUN/job"
cd "$FL_DIR" || exit 124
. "$FL_RUN/env"
[ "$FL_KEEP" ] || rm -f "$FL_RUN/env"
# It begins: said by builtins alone, since `env` may have left no PATH, and read back, since a profile may have changed what they do. What cannot be
# said does not run: the wrapper would take it for a profile that never came to the script.
echo 1 1<>"$FL_PROFILE"
IFS= read -r fl_begun <"$FL_PROFILE" && [ "$fl_begun" = 1 ] || exit 123
fl_script=$FL_RUN/script fl_stdout=$FL_OUT fl_stderr=$FL_ERR
unset FL_RUN FL_ENTER FL_DIR FL_OUT FL_ERR FL_KEEP FL_PROFILE
exec "$fl_script" "$@" >>"$fl_stdout" 2>>"$fl_stderr"
