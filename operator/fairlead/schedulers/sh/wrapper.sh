#!/bin/sh
# shellcheck disable=SC2015  # A && B || C is meant: C when either fails
# Runs the user's script once. Slurm runs a spooled copy of this on the job's first node; on a bare host keeper.sh runs it, and names the id:
#   wrapper.sh TREE MARKER KEY BUILD --requeue|--no-requeue WATCH_SECONDS [ID]
# runs/KEY/ holds script (0700), env (0600, `export` lines) and job (fl_* settings and `set -- arguments`).
# Exit codes of its own, with which the script was not started: 121 claim lost, 122 requeue not allowed, 123 environment, 124 output.
tree=$1 marker=$2 key=$3 build=$4 requeue=$5 watch_seconds=$6
run=runs/$key pid='' signal='' told='' watcher='' id=${7:-${SLURM_JOB_ID:-}} bare_host=${7:+1}
PATH=${PATH:-/usr/local/bin:/usr/bin:/bin}
export PATH
user_umask=$(umask)
umask 077

# A shell starts what it does not wait for with INT and QUIT ignored, and no script can take that back: `timeout -s INT` in it would end nothing.
# So what was not ignored for us is set back, where `env` can (coreutils 8.31 and later).
heard=
ignored=$(sed -n 's/^SigIgn:.*\(.\)$/\1/p' /proc/self/status 2>/dev/null)   # the last digit holds HUP 1, INT 2, QUIT 4
case $ignored in [014589cd]) heard=INT ;; esac
case $ignored in [012389ab]) heard=${heard:+$heard,}QUIT ;; esac
[ "$heard" ] && env "--default-signal=$heard" true 2>/dev/null || heard=

# forward SIGNAL: to the user's script alone, as Slurm signals a batch shell. Not before the child has taken `.wait` away: until its exec it has our
# handlers, and dash swallows the signal there.
forward() {
  signal=$1 told=$1 tries=0
  [ "$pid" ] || return 0
  while [ -e "$run/.wait-$start" ] && [ $tries -lt 100 ]; do tries=$((tries + 1)); sleep 0.05 2>/dev/null || sleep 1; done
  kill -s "$signal" "$pid" 2>/dev/null
}
for name in TERM USR1 USR2 HUP INT QUIT; do
  # shellcheck disable=SC2064  # the name is meant as it is now
  trap "forward $name" "$name"
done

# The tree, entered once: every later path is relative, so a mount that changes meanwhile changes nothing.
[ "$id" ] && cd "$tree" 2>/dev/null && { IFS= read -r seen <marker; } 2>/dev/null && [ "$seen" = "$marker" ] && [ -e "$run/ready" ] || exit 123

# The claim: one `ln -s`, whose failure says nothing; only what stands there decides.
nonce=$(od -An -N8 -tx1 /dev/urandom 2>/dev/null | tr -d ' \n')
nonce=${nonce:-$$-$(date +%s)-$(uname -n)}
ln -s "$id.$nonce" "$run/claim" 2>/dev/null
case $(readlink "$run/claim") in
  "$id.$nonce") ;;
  "$id".*) [ "$requeue" = --requeue ] && [ ! -e "$run/stop" ] || exit 122 ;;   # a start before this one, whatever the restart count says
  '') exit 123 ;;
  *) exit 121 ;;
esac

# The number of this start: above every earlier one, also when the scheduler has lost count.
start=${SLURM_RESTART_COUNT:-0}
for file in "$run"/started-*; do
  case ${file##*-} in '' | *[!0-9]*) ;; *) [ "${file##*-}" -ge "$start" ] && start=$((${file##*-} + 1)) ;; esac
done

# The settings, read before anything is said to have started.
[ -r "$run/job" ] && [ -r "$run/env" ] && [ -x "$run/script" ] && [ -r "bin/$build/enter.sh" ] || exit 123
fl_name='' fl_dir='' fl_out='' fl_err='' fl_login=1
# shellcheck source=/dev/null
. "./$run/job"

node=${SLURMD_NODENAME:-$(uname -n)}

# expand PATTERN: %j %A %a %x %u %N and %%, as sbatch does.
expand() {
  printf '%s' "$1" | NAME=$fl_name ID=$id TASK=${SLURM_ARRAY_TASK_ID:-4294967294} WHO=${SLURM_JOB_USER:-$LOGNAME} NODE=$node awk '
    BEGIN { value["j"] = value["A"] = ENVIRON["ID"]; value["a"] = ENVIRON["TASK"]; value["x"] = ENVIRON["NAME"]
            value["u"] = ENVIRON["WHO"]; value["N"] = ENVIRON["NODE"]; value["%"] = "%" }
    { text = $0; made = ""
      while ((at = index(text, "%")) > 0) {
        letter = substr(text, at + 1, 1)
        made = made substr(text, 1, at - 1) (letter in value ? value[letter] : "%" letter)
        text = substr(text, at + 2)
      }
      print made text }'
}

# absolute FOLDER PATH: home for a tilde, below FOLDER for a relative one.
absolute() {
  # shellcheck disable=SC2088  # the tilde is what the user wrote
  case $2 in /*) printf '%s' "$2" ;; '~') printf '%s' "$HOME" ;; '~/'*) printf '%s/%s' "$HOME" "${2#??}" ;; *) printf '%s/%s' "${1%/}" "$2" ;; esac
}
dir=$(absolute "$HOME" "${fl_dir:-$HOME}")
out=$(absolute "$dir" "$(expand "$fl_out")")
err=$out
[ "$fl_err" ] && err=$(absolute "$dir" "$(expand "$fl_err")")

# `finished` has its space before the script starts, so that a disk which the script fills cannot hide its end.
printf '%255s\n' '' >"$run/.finished-$start" && : >"$run/.wait-$start" && echo 0 >"$run/.profile-$start" &&
  printf '%s\n' "$id $start $(date +%s) $node" "$out" "$err" >"$run/.started-$start" && mv -f "$run/.started-$start" "$run/started-$start" || exit 123

# end CODE: written in place, then renamed; behind the time the signal that the script was given, if any: without one nobody has cancelled it.
# Without the reserved file the directory has been taken down: nothing is put into it.
end() {
  [ -e "$run/.finished-$start" ] && printf '%s\n' "$id $start $1 $(date +%s)${told:+ $told}" 1<>"$run/.finished-$start" &&
    mv -f "$run/.finished-$start" "$run/finished-$start"
  [ "$requeue" = --requeue ] || rm -f "$run/env"
  rm -f "$run/.wait-$start" "$run/.profile-$start"
  exit "$1"
}

# never_began: what said that the script would start now is taken back.
never_began() {
  rm -f "$run/started-$start" "$run/.finished-$start" "$run/.wait-$start" "$run/.profile-$start"
  [ "$requeue" = --requeue ] || rm -f "$run/env"
  exit 123
}

# The output, tried in a subshell: a redirection that fails ends dash without a word. Appended to, so that a second start cannot cut it.
( umask "$user_umask"; cd "$dir" && mkdir -p "${out%/*}/" "${err%/*}/" && true >>"$out" && true >>"$err" ) || end 124

# Once in so many seconds: a claim that is ours no longer ends the script (its object is gone, and the scheduler had forgotten this job), and so do
# a `stop` that says that this Run is over by all that others know, and the death of this wrapper. What cannot be read says nothing.
# shellcheck disable=SC2016  # its own arguments
watch='trap "" TERM HUP INT
  while sleep "$3"; do
    kill -0 "-$4" || exit
    over=
    { read -r _ over <"$6"; } 2>/dev/null
    [ "$over" ] || { kill -0 "$5" && case $(readlink "$1") in "$2".* | "") continue ;; esac; }
    kill -TERM "-$4"
    for second in 1 2 3 4 5 6 7 8 9 10; do sleep 1; kill -0 "-$4" || exit; done
    kill -KILL "-$4"
    exit
  done'

# The user's script in a session of its own (`kill 0` in it cannot reach us), through the login shell, which stays the same process up to the script:
# a dash in between would drop exported functions such as `module`.
FL_RUN=$tree/$run FL_ENTER=$tree/bin/$build/enter.sh FL_DIR=$dir FL_OUT=$out FL_ERR=$err FL_KEEP='' FL_PROFILE=$tree/$run/.profile-$start
[ "$requeue" = --requeue ] && FL_KEEP=1
export FL_RUN FL_ENTER FL_DIR FL_OUT FL_ERR FL_KEEP FL_PROFILE
if [ "$bare_host" ]; then
  FAIRLEAD_RUN=$key             # by it every process of the script is known, unless it clears its environment
  export FAIRLEAD_RUN
else
  SLURM_SUBMIT_DIR=$dir
  export SLURM_SUBMIT_DIR
  unset SLURM_EXPORT_ENV SLURM_OPEN_MODE   # left set, srun passes no environment to its tasks, and appends to its files
fi
shell=${SHELL:-/bin/sh}
[ "$fl_login" = 1 ] && [ -x "$shell" ] || shell=/bin/sh
# shellcheck disable=SC2016  # its own arguments
go='[ "$FL_GROUP" ] && { echo 0 >"$FL_GROUP/cgroup.procs"; } 2>/dev/null; unset FL_GROUP
  rm -f "$1"; shift; exec setsid "$@"'   # FL_GROUP: the control group that a bare host's keeper has made
flag=$run/.wait-$start
umask "$user_umask"
# shellcheck disable=SC2016  # read by the login shell
case $fl_login:${shell##*/} in
  0:*) sh -c "$go" sh "$flag" ${heard:+env "--default-signal=$heard"} "$shell" "$FL_ENTER" </dev/null & ;;
  *:bash | *:dash | *:sh | *:ksh* | *:zsh) sh -c "$go" sh "$flag" ${heard:+env "--default-signal=$heard"} "$shell" -l -c '. "$FL_ENTER"' </dev/null & ;;
  *:csh | *:tcsh) echo 'exec /bin/sh "$FL_ENTER" < /dev/null' | sh -c "$go" sh "$flag" ${heard:+env "--default-signal=$heard"} "$shell" -l & ;;   # they take -l only alone
  *) sh -c "$go" sh "$flag" ${heard:+env "--default-signal=$heard"} "$shell" -l -c 'exec /bin/sh $FL_ENTER' </dev/null & ;;
esac
pid=$!
umask 077
setsid sh -c "$watch" sh "$run/claim" "$id" "$watch_seconds" "$pid" $$ "$run/stop" </dev/null >/dev/null 2>&1 &
watcher=$!
[ "$signal" ] && forward "$signal"   # one that came before the child was there

# A trapped signal ends `wait` early with 128 + its number: ask again. Once reaped, dash says 127 and bash remembers.
while :; do
  signal=
  wait "$pid"; code=$?
  [ $code -gt 128 ] && [ "$signal" ] || break
  kill -0 "$pid" 2>/dev/null && continue
  wait "$pid" 2>/dev/null; again=$?
  [ $again = 127 ] || code=$again
  break
done

# What it left behind: not every site ends that with the job. (No `--`: dash and busybox take it for a
# process. bash would print a line on each that was killed.)
exec 2>/dev/null
kill -KILL "-$pid"
kill -KILL "-$watcher" || kill -KILL "$watcher"
wait "$watcher"
# A login shell that ended well and never came to the script: its profile says `exit`, or `exec` of another shell. That is no success.
begun=1
[ "$code" = 0 ] && { read -r begun <"$run/.profile-$start"; } 2>/dev/null
[ "$begun" = 0 ] && never_began
end "$code"
