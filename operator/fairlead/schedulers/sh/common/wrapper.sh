#!/bin/sh
# Runs the user's script once. Slurm runs a spooled copy of this on the job's first node; on a bare host keeper.sh runs it, and names the id:
#   wrapper.sh TREE MARKER KEY BUILD --requeue|--no-requeue WATCH_SECONDS [ID [CONTROL_GROUP [SHARED]]]
# SHARED: Slurm has opened the user's own files for us; the numbers in it are those of files whose names are this job's alone (1 output, 2 errors).
# runs/KEY/ holds script (0700), env (0600, `export` lines) and job (fl_* settings and `set -- arguments`).
# Exit codes of its own, with which the script was not started: 121 claim lost, 122 requeue not allowed, 123 environment, 124 output. A script may end
# with these as well, so they prove nothing: what does are the link `never` and the word `unbegun` in `finished`.
# Needs: nothing.
# Gives: nothing.
# shellcheck disable=SC2015  # A && B || C is meant: C when either fails

tree=$1 marker=$2 key=$3 build=$4 requeue=$5 watch_seconds=$6
run=runs/$key pid='' signal='' told='' watcher='' id=${7:-${SLURM_JOB_ID:-}} bare_host=${7:+1} group=${8:-} shared=${9:-}
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

# unused CODE: the end of a start that runs nothing. The files that Slurm has made for it go, where no other start has them too.
unused() {
  for number in 1 2; do
    case $shared in *"$number"*) file=$(readlink "/proc/$$/fd/$number") && [ -f "$file" ] && [ ! -s "$file" ] && rm -f "$file" ;; esac
  done
  exit "$1"
}

# The tree, entered once: every later path is relative, so a mount that changes meanwhile changes nothing.
[ "$id" ] && cd "$tree" 2>/dev/null && { IFS= read -r seen <marker; } 2>/dev/null && [ "$seen" = "$marker" ] && [ -e "$run/ready" ] || unused 123

# Nobody else may change it, or put another in its place: see `only_ours` in prelude.sh. From here on it goes by its real path, on which that is so.
# (The Run's own directory may be as open as a site's ACLs make it: nobody else gets into `runs`.)
tree=$(pwd -P) way=$tree
set -- . ./runs ./bin "./bin/$build"
for own in "$@" "./$run"; do [ ! -h "$own" ] || exit 123; done
while set -- "$@" "${way:-/}"; [ "$way" ]; do way=${way%/*}; done
me=$(id -u)
open=$(find "$@" -prune \( -path '.*' \( ! -user "$me" -o -perm -020 -o -perm -002 \) \
  -o ! -path '.*' ! -perm -1000 \( -perm -020 -o -perm -002 \) -o ! -path '.*' ! -user 0 ! -user "$me" \) -print) && [ -z "$open" ] || {
  echo "fairlead: others can change what this job would run, since they can write to ${open:-what cannot be looked at}, in $tree" >&2
  exit 123
}

nonce=$(od -An -N8 -tx1 /dev/urandom 2>/dev/null | tr -d ' \n')
nonce=${nonce:-$$-$(date +%s)-$(uname -n)}

# All that can be made ready is made so before there is anything to lose: bash 5.2 can forget a signal for which a trap is set while it reads a `$( )`
# within quotes. What fails is told once the claim is ours.
able=1
[ -r "$run/job" ] && [ -r "$run/env" ] && [ -r "$run/script" ] && [ -r "bin/$build/enter.sh" ] || able=
fl_name='' fl_job='' fl_dir='' fl_out='' fl_err='' fl_login=1
# shellcheck source=/dev/null
[ -z "$able" ] || . "./$run/job"

node=${SLURMD_NODENAME:-$(uname -n)}

# expand PATTERN: %j %J %A %a %x %u %N and %%, as sbatch does; a number before the letter of a number is the least count of its digits, up to 10. No file
# system has names of more than 255 bytes: a Job's that is too long for that beside the rest is cut.
expand() {
  printf '%s' "$1" | NAME=$fl_name ID=$id TASK=${SLURM_ARRAY_TASK_ID:-4294967294} WHO=${SLURM_JOB_USER:-$LOGNAME} NODE=$node LC_ALL=C awk '
    function filled(text,    made, at, width, letter, known, shown) {
      while ((at = index(text, "%")) > 0) {
        width = substr(text, at + 1)
        sub(/[^0-9].*/, "", width)
        letter = substr(text, at + 1 + length(width), 1)
        known = letter in value && (width == "" || letter ~ /[jJAa]/)
        shown = known ? value[letter] : "%" width letter
        while (known && length(shown) < width + 0 && length(shown) < 10) shown = "0" shown
        made = made substr(text, 1, at - 1) shown
        text = substr(text, at + 2 + length(width))
      }
      return made text
    }
    function is_too_long(path,    part, count) {
      for (count = split(path, part, "/"); count > 0; count--) if (length(part[count]) > 255) return 1
      return 0
    }
    BEGIN { value["j"] = value["J"] = value["A"] = ENVIRON["ID"]; value["a"] = ENVIRON["TASK"]; value["x"] = ENVIRON["NAME"]
            value["u"] = ENVIRON["WHO"]; value["N"] = ENVIRON["NODE"]; value["%"] = "%" }
    { path = filled($0)
      while (is_too_long(path) && length(value["x"]) > 1) { value["x"] = substr(value["x"], 1, length(value["x"]) - 1); path = filled($0) }
      print path }'
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

# quoted TEXT: as one word for a shell.
quoted() {
  rest=$1 made=
  while :; do case $rest in *\'*) made="$made${rest%%\'*}'\\''" rest=${rest#*\'} ;; *) break ;; esac; done
  printf "'%s'" "$made$rest"
}

# interpret: has the script read by what its first line names, as the kernel would: one program and at most one argument.
interpret() {
  IFS= read -r line <"$run/script"
  line=$(printf '%s' "${line#??}" | tr '\t' ' ' | sed 's/^ *//; s/ *$//')
  program=${line%% *} argument=${line#"${line%% *}"}
  argument=$(printf '%s' "$argument" | sed 's/^ *//')
  script="$(quoted "$program") ${argument:+$(quoted "$argument") }$script"
}

# BEGUN. The last step before the script is `go`, run by sh in the login shell's place. All that it knows stands in it as text, and behind the first
# lines it uses special builtins alone: no variable, function or option of a profile or of the Job's `env` can lead it astray. It empties `unbegun`, which
# would end it otherwise, and is the script then. So as long as `unbegun` is not empty, the script has not begun.
enter=$run/.enter.$nonce random=FL_$(printf '%s' "$nonce" | tr -c 'A-Za-z0-9' _) sh=$(command -v sh)
case $sh in /*) ;; *) sh=/bin/sh ;; esac
write_go() {
  clean="/usr/bin/env -i PATH=$(quoted "$PATH")" mark=$(quoted "$tree/$enter/unbegun") script=$(quoted "$tree/$run/script") secrets=
  [ "$requeue" = --requeue ] || secrets=$(quoted "$tree/$run/env")
  [ -x "$run/script" ] || interpret            # the file system lets nothing be executed (noexec); sbatch runs a copy of its own elsewhere
  case $script in *=*) script="nice -n 0 $script" ;; esac   # `env` would take it for a variable
  [ "$bare_host" ] && key_again="export FAIRLEAD_RUN=$(quoted "$key")" || key_again=
  cat <<END && cat "$run/env" && cat <<END_TOO
set +e +f +u +v +x +a +C
case \$- in *k*) set +k ;; esac
unset ${random}_sh ${random}_go
unset -f cd
cd $(quoted "$dir") || exit 124
exec >>$(quoted "$out") 2>>$(quoted "$err")
$(sed -n '/^set --/,$p' "$run/job")
set -- $script "\$@"
eval "set -- \$($clean $(quoted "$sh") $(quoted "$tree/bin/$build/enter.sh") \$\$) \"\\\$@\""
$clean rm -f $(quoted "$tree/$enter/go") $secrets
END
$key_again
: <$mark >$mark
. $mark
exec "\$@"
END_TOO
}

[ "$able" ] && mkdir "$enter" && echo 'exit 123' >"$enter/unbegun" && write_go >"$enter/go" || able=

# memory_events: the file in which the kernel counts what it has ended for memory in this job's own control group, as Slurm sees it; else nothing.
memory_events() {
  while IFS=: read -r _ kind path; do
    case ,$kind, in ,,) kind=cgroup2 file=memory.events ;; *,memory,*) kind=cgroup file=memory.oom_control ;; *) continue ;; esac
    case $path/ in *[!a-zA-Z0-9_:.@/-]* | */../*) continue ;; */"job_$id"/*) ;; *) continue ;; esac
    while read -r _ _ _ root point rest; do
      root=${root%/}
      case $rest, in *" - $kind "*) ;; *) continue ;; esac
      case $path in "$root"/*) [ -r "$point${path#"$root"}/$file" ] && printf '%s' "$point${path#"$root"}/$file" && return ;; esac
    done </proc/self/mountinfo
  done </proc/self/cgroup
}
memory_kills() { [ "$events" ] && sed -n 's/^oom_kill \([0-9]\{1,\}\)$/\1/p' "$events" 2>/dev/null; }
events='' asker='' over=
[ "$bare_host" ] || events=$(memory_events 2>/dev/null)
kills_before=$(memory_kills)

# ask SECONDS: what Slurm says of this job, now that it was told to end: when somebody else looks, it may have forgotten. Told by the link `word-<n>`, of id
# and word. While Slurm ends a job it calls it COMPLETING, whatever for; while it calls it RUNNING, the signal was somebody's own.
ask() {
  said=$(timeout -k 2 "$1" scontrol -o show job "$id" 2>/dev/null) || return
  word=${said#* JobState=}
  word=${word%% *}
  case $word in '' | *[!A-Z_]*) return ;; esac
  case $word:$said in
    COMPLETING:*' Reason=TimeLimit '*) word=TIMEOUT ;;
    COMPLETING:*' PreemptTime='[0-9]*) word=PREEMPTED ;;
    COMPLETING:*) word=CANCELLED ;;
    RUNNING:*) [ ! -h "$run/word-$start" ] || return ;;
  esac
  ln -s "$id.$word" "$run/.word.$1" && mv -f "$run/.word.$1" "$run/word-$start"
}

# forward SIGNAL: to the user's script alone, as Slurm signals a batch shell. Not before the child has taken `.wait` away: until its exec it has our
# handlers, and dash swallows the signal there. TERM may be the end: why it came is asked at once, since the end by force may follow. Our own `stop` says
# why by itself.
forward() {
  [ -z "$over" ] || return 0
  signal=$1 tries=0
  case ,$told, in *",$1,"*) ;; *) told=$told${told:+,}$1 ;; esac
  [ "$pid" ] || return 0
  if [ "$1" = TERM ] && [ -z "$bare_host" ] && [ ! -e "$run/stop" ]; then
    now=$(date +%s)
    case ${SLURM_JOB_END_TIME:-x}$told in
      [!0-9]* | *limit*) ;;
      *) [ "$now" -lt "$SLURM_JOB_END_TIME" ] || told=$told,limit ;;
    esac
    { [ "$asker" ] && kill -0 "$asker" 2>/dev/null; } || { ( trap '' TERM USR1 USR2 HUP INT QUIT; ask 10 ) </dev/null >/dev/null 2>&1 & asker=$!; }
  fi
  while [ -e "$run/.wait-$start" ] && [ $tries -lt 100 ]; do tries=$((tries + 1)); sleep 0.05 2>/dev/null || sleep 1; done
  kill -s "$signal" "$pid" 2>/dev/null
}
for name in TERM USR1 USR2 HUP INT QUIT; do
  # shellcheck disable=SC2064  # the name is meant as it is now
  trap "forward $name" "$name"
done

# tell_change WORD: whoever listens at the login node (listen.sh) looks at once. Written in place, so that a full disk is no obstacle; opened for both, so that no
# pipe holds us up.
tell_change() { printf '%-99.99s\n' "$1 $id $nonce" 1<>changes; } 2>/dev/null

# The claim: one `ln -s`, whose failure says nothing; only what stands there decides.
ln -s "$id.$nonce" "$run/claim" 2>/dev/null
first=
leave() { rm -rf "$enter"; exit "$1"; }
case $(readlink "$run/claim") in
  "$id.$nonce") first=1 ;;
  "$id".*) [ "$requeue" = --requeue ] && [ ! -e "$run/stop" ] || leave 122 ;;   # a start before this one, whatever the restart count says
  '') leave 123 ;;
  *) rm -rf "$enter"; unused 121 ;;
esac

# cannot_start: said by a link, which a full disk takes, and only by the start that has made the claim: nothing has run under it.
cannot_start() {
  [ -z "$first" ] || ln -s "$id.$nonce" "$run/never" 2>/dev/null
  [ "$requeue" = --requeue ] || rm -f "$run/env"
  rm -f "$run/.started-${start:-0}" "$run/.finished-${start:-0}" "$run/.wait-${start:-0}"
  [ -z "$first" ] || { rm -rf "$enter"; unused 123; }
  leave 123
}
[ ! -h "$run/never" ] || { rm -f "$run/never" && [ ! -h "$run/never" ]; } || leave 123   # a start before this one could not

# The number of this start: above every earlier one, also when the scheduler has lost count.
start=${SLURM_RESTART_COUNT:-0}
for file in "$run"/started-*; do
  case ${file##*-} in '' | *[!0-9]* | 0?* | ???????*) ;; *) [ "${file##*-}" -ge "$start" ] && start=$((${file##*-} + 1)) ;; esac
done

[ "$able" ] || cannot_start
# `finished` has its space before the script starts, so that a disk which the script fills cannot hide its end.
now=$(date +%s)
printf '%255s\n' '' >"$run/.finished-$start" && : >"$run/.wait-$start" && printf '%s\n' "$id $start $now $node" "$out" "$err" >"$run/.started-$start" &&
  : >"$enter/start-$start" && mv -f "$run/.started-$start" "$run/started-$start" || cannot_start
tell_change begun

# end CODE WORDS: written in place, then renamed; behind the time, with commas between, what the exit code does not say: the signals that the script was
# given, without which nobody has cancelled it, and WORDS: `unbegun`, or `unsure` whether it has. Without the reserved file the directory has been taken
# down: nothing is put into it.
end() {
  words=$told${2:+${told:+,}$2} now=$(date +%s)
  kills=$(memory_kills)
  [ "${kills:-0}" -le "${kills_before:-0}" ] || words=$words${words:+,}oom
  [ -e "$run/.finished-$start" ] && printf '%s\n' "$id $start $1 $now${words:+ $words}" 1<>"$run/.finished-$start" &&
    mv -f "$run/.finished-$start" "$run/finished-$start"
  [ "$bare_host" ] || tell_change ended         # the keeper does once it has written how it came out
  [ "$requeue" = --requeue ] || rm -f "$run/env"
  rm -rf "$run/.wait-$start" "$enter" "$enter.over"
  for mark in "$run"/.enter.*/start-*; do     # of starts before this one that were cut off, never of one behind it
    case ${mark##*-} in '' | *[!0-9]* | ???????*) ;; *) [ "${mark##*-}" -ge "$start" ] || rm -rf "${mark%/*}" ;; esac
  done
  # Once the end is written: what came with a signal. A script that dies of TERM may have been faster than our own.
  case $bare_host:$told:$1 in
    :*TERM*:* | :*:143)
      while [ "$asker" ] && kill -0 "$asker"; do wait "$asker"; done 2>/dev/null
      { [ -e "$run/stop" ] || ask 5; } 2>/dev/null ;;
  esac
  exit "$1"
}

# The output, tried in a subshell: a redirection that fails ends dash without a word. Appended to, so that a second start cannot cut it.
( umask "$user_umask"; cd "$dir" && mkdir -p "${out%/*}/" "${err%/*}/" && true >>"$out" && true >>"$err" ) || end 124 unbegun

# What is not the script's goes to a log of ours: what a profile says.
if [ "$shared" ] && ( true >>"$run/slurm-$id.log" ) 2>/dev/null; then exec >>"$run/slurm-$id.log" 2>&1; fi

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

# The user's script in a session of its own (`kill 0` in it cannot reach us), through the login shell, which execs `go`. How it finds that, no profile
# can have a variable for: its name is random.
export "${random}_sh=$sh" "${random}_go=$tree/$enter/go"
if [ "$bare_host" ]; then
  FAIRLEAD_RUN=$key
  export FAIRLEAD_RUN
else
  SLURM_SUBMIT_DIR=$dir SLURM_JOB_NAME=${fl_job:-${SLURM_JOB_NAME:-}}   # as under sbatch: Slurm's own has our key in it
  export SLURM_SUBMIT_DIR SLURM_JOB_NAME
  unset SLURM_EXPORT_ENV SLURM_OPEN_MODE   # left set, srun passes no environment to its tasks, and appends to its files
fi
shell=${SHELL:-/bin/sh}
[ "$fl_login" = 1 ] && [ -x "$shell" ] || shell=
# shellcheck disable=SC2016  # its own arguments
step='[ "$2" ] && { echo 0 >"$2/cgroup.procs"; } 2>/dev/null
  rm -f "$1"; shift 2; exec setsid "$@"'
set -- sh -c "$step" sh "$run/.wait-$start" "$group" ${heard:+env "--default-signal=$heard"}
umask "$user_umask"
# A profile may have an alias or a function of the name `exec`; only bash and zsh would take the function.
case ${shell##*/} in
  '') "$@" "$sh" "$tree/$enter/go" </dev/null & ;;
  bash | zsh | bash-* | zsh-*) "$@" "$shell" -l -c "\\builtin exec \"\$${random}_sh\" \"\$${random}_go\"" </dev/null & ;;
  dash | sh | ash | yash | *ksh*) "$@" "$shell" -l -c "\\exec \"\$${random}_sh\" \"\$${random}_go\"" </dev/null & ;;
  csh | tcsh)                   # they take -l only alone, and an `exec` behind a backslash for a program
    printf '%s\n' 'unalias exec' "exec \"\$${random}_sh\" \"\$${random}_go\" < /dev/null" | "$@" "$shell" -l & ;;
  *) "$@" "$shell" -l -c "exec \$${random}_sh \$${random}_go" </dev/null & ;;
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

over=1
# What it left behind: not every site ends that with the job. (No `--`: dash and busybox take it for a
# process. bash would print a line on each that was killed.)
exec 2>/dev/null
kill -KILL "-$pid"
kill -KILL "-$watcher" || kill -KILL "$watcher"
wait "$watcher"

# Whether it has begun. The folder is moved away first: after that no `go` can find its mark, and what the mark says is final. Not there any more, it
# says nothing: the script may have run and removed it.
# (A script may have closed the folder that it lies in.)
{ [ -w "$run" ] && [ -x "$run" ] && [ -w "$run/.finished-$start" ]; } || chmod u+rwx "$run" "$run/.finished-$start"
mv "$enter" "$enter.over"
if [ -s "$enter.over/unbegun" ]; then
  [ "$code" != 0 ] || code=123
  end "$code" unbegun
elif [ ! -e "$enter.over/unbegun" ] && [ "$code" = 0 ]; then
  end 123 unsure
fi
end "$code"
