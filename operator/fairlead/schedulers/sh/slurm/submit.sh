# Slurm's part in a submission.
# Needs: LOST_WORDS (sbatch's, after which the job may exist), WRAPPER (its text), REQUEUE (--requeue or --no-requeue, set for each key, as the next seven),
#   NAME (the user's), FORMER (the name that releases gave before it was the user's), COMMENT (the job's, unless it has its user's own), JOB_FOLDER, JOB_OUT, JOB_ERR (see
#   `as_under_sbatch`), OWN (1: JOB_OUT has the id in it, 2: JOB_ERR has), ASIDE (the key's folder aside), BUILD (names the files by their content, so that pending jobs keep theirs), KEY, MARKER (what its marker says), RUN (the key's
#   directory), SBATCH_SECONDS (as all of these: for one call), SCANCEL_SECONDS, TREE (its path), WATCH_SECONDS, MARK (the comment of our jobs up to the key), RECORDS
#   (for awk: calls its `job()` for each job that `listing` shows), answer (WORD...: of this key), handed_in (the scheduler took it, as `id`), listing (FIELDS: rows
#   of all jobs of our user), slurm (SECONDS COMMAND...: calls one of Slurm's).
# Gives: ASKED (whom it asks, in words), hand_in (hands the key over and answers, with `handed_in` where it was taken), listed (sets `id` to what is
#   shown under the key), prepare_more (sets MORE to the wrapper, put aside), withdraw (ID: takes it back).
# shellcheck disable=SC2034  # ASKED is read by the script behind it

ASKED=squeue

# The key is in the path under which sbatch is given the wrapper, which Slurm shows as the job's command: it is the user's own name, output, folder that a
# script finds, and that a site's rules look at. sbatch reads the file at once and never again.
prepare_more() {
  MORE=$ASIDE/wrapper.sh
  printf '%s' "$WRAPPER" >"$ASIDE/wrapper.sh"
}

# listed: sets `id` to the first job that the scheduler shows under this key: by the path of the wrapper; or by comment or former name, where the path has no
# key, as of an earlier release or where a site has rewritten it. The record that an impossible request leaves behind is no job.
listed() {
  rows=$(listing "%A$US%T$US%r") || return
  id=$(printf '%s\n' "$rows" | awk -F "$US" -v fence="$FENCE" -v mark="$MARK" -v FIELDS=3 -v wanted="$KEY" -v former="$FORMER" "$RECORDS"'
    function job() {
      if (FIELD[2] !~ /^[0-9]+$/ || (FIELD[3] == "FAILED" && FIELD[4] == "BadConstraints")) return
      if (key == wanted && (placed || by_mark(PART[3]) == wanted || name == former) && !(placed in found)) found[placed] = FIELD[2]
    }
    END { if (1 in found) print found[1]; else if (0 in found) print found[0] }')
}

# doubled TEXT: MADE is that with each % twice, so that sbatch reads no pattern in it.
doubled() {
  rest=$1 MADE=
  while :; do case $rest in *%*) MADE=$MADE${rest%%\%*}%% rest=${rest#*%} ;; *) break ;; esac; done
  MADE=$MADE$rest
}

# pattern FOLDER PATH: MADE is PATH below FOLDER, as the wrapper reads it and as sbatch takes it.
pattern() {
  # shellcheck disable=SC2088  # the tilde is what the user wrote
  case $2 in
    /*) MADE=$2 ;;
    '~') doubled "$HOME" ;;
    '~/'*) doubled "$HOME"; MADE=$MADE/${2#??} ;;
    *) doubled "${1%/}"; MADE=$MADE/$2 ;;
  esac
}

# opens PATTERN: whether Slurm can open such a file, as far as this login node shows. Where it cannot, the wrapper can: it makes folders, and says what is wrong.
# A folder may lie on a mount that hangs, which would hold up all of this batch: so who looks at it is ended, and each is looked at once. The home and
# the tree's own folder answer.
LOOKED_AT='' LOOKED=
opens() {
  case $1 in *\\* | *%*/*) return 1 ;; esac   # sbatch takes no pattern behind a backslash for one
  case ${1%/*} in "$HOME" | "${TREE%/*}" | /dev) eval "$CAN_OPEN"; return ;; esac
  case $1 in *%*) what=${1%/*}/% ;; *) what=$1 ;; esac
  if [ "$what" != "$LOOKED_AT" ]; then
    LOOKED_AT=$what
    ( exec timeout -k 2 5 sh -c "$CAN_OPEN" sh "$what" ) 2>/dev/null
    LOOKED=$?
  fi
  [ "$LOOKED" = 0 ]
}
# shellcheck disable=SC2016  # its own argument
CAN_OPEN='if case $1 in *%*) false ;; *) [ -e "$1" ] ;; esac; then [ ! -d "$1" ] && [ -w "$1" ]; else [ -d "${1%/*}/" ] && [ -w "${1%/*}/" ]; fi'

# as_under_sbatch: AT is the job's folder, OUTPUT and ERROR are its files to Slurm, for who asks it where they are. JOB_OUT and JOB_ERR are empty where
# sbatch would read something else in them than the wrapper does. Then, and where it could not open them, there is a log of ours in their place.
as_under_sbatch() {
  # shellcheck disable=SC2088  # the same
  case $JOB_FOLDER in '' | '~') AT=$HOME ;; /*) AT=$JOB_FOLDER ;; '~/'*) AT=$HOME/${JOB_FOLDER#??} ;; *) AT=${HOME%/}/$JOB_FOLDER ;; esac
  OUTPUT='' ERROR='' SHARED=
  if [ "$JOB_OUT" ] && pattern "$AT" "$JOB_OUT" && opens "$MADE"; then
    OUTPUT=$MADE SHARED=0
    case $OWN in *1*) SHARED=01 ;; esac
    if [ "$JOB_ERR" ] && pattern "$AT" "$JOB_ERR" && opens "$MADE"; then
      ERROR=$MADE
      case $OWN in *2*) SHARED=${SHARED}2 ;; esac
    fi
  else
    doubled "$TREE"
    OUTPUT=$MADE/runs/$KEY/slurm-%j.log
  fi
}

# hand_in OPTIONS...: only sbatch's own words decide, never how it died: killed in mid-call, its job exists all the same.
hand_in() {
  as_under_sbatch
  said=$(umask "$USER_UMASK"; exec_bare timeout -k 2 "$SBATCH_SECONDS" sbatch "$@" --parsable --export=ALL --propagate=NONE "$REQUEUE" \
    --job-name="$NAME" ${COMMENT:+"--comment=$COMMENT"} --output="$OUTPUT" ${ERROR:+"--error=$ERROR"} --open-mode=append --chdir="$AT" \
    "runs/$KEY/wrapper.sh" "$TREE" "$MARKER" "$KEY" "$BUILD" "$REQUEUE" "$WATCH_SECONDS" '' '' "$SHARED" 2>&1)
  status=$?
  true >"$RUN/wrapper.sh"         # Slurm has its own copy; a tree of many Runs would hold as many
  [ "$status" = 143 ] && status=124
  if [ "$status" = 0 ] && printed; then
    handed_in
    return
  fi
  hung "$status" && SKIP="busy sbatch did not answer in $SBATCH_SECONDS s"
  said=$(words "$said")
  says_no "$status" && put "$RUN" refused "$status $said"
  answer refused "$status" "$said"
}

# printed: sets `id` to the one that stands in a line of sbatch's words, alone or with its cluster behind it. Two would say nothing.
printed() {
  id=''
  set -f
  IFS=$LINE_END
  for line in $said; do
    case ${line%%;*} in '' | 0* | *[!0-9]*) ;; *) [ -z "$id" ] || { id=''; break; }; id=${line%%;*} ;; esac
  done
  unset IFS
  set +f
  [ "$id" ]
}

withdraw() { ( slurm "$SCANCEL_SECONDS" scancel --name="$NAME" "$1" ) >/dev/null 2>&1; }

# says_no STATUS: whether sbatch's words are an answer, so that no job comes of this call. Waiting for room in the queue it had sent nothing yet.
says_no() {
  printf '%s\n' "$said" | grep -E -q -e "$LOST_WORDS" && return 1
  case $1 in
    0) return 1 ;;
    124) case $said in *'sleeping and retrying'*) return 0 ;; *) return 1 ;; esac ;;
    255) return 0 ;;
    *) [ "$1" -lt 124 ] ;;
  esac
}
