# Slurm's part in a submission.
# Needs: LOST_WORDS (sbatch's, after which the job may exist), REQUEUE (--requeue or --no-requeue, set for each key, as the next two), NAME (the job's),
#   COMMENT (the job's), BUILD (names the files by their content, so that pending jobs keep theirs), KEY, MARKER (what its marker says), RUN (the key's
#   directory), SBATCH_SECONDS (as all of these: for one call), SCANCEL_SECONDS, SQUEUE_SECONDS, TREE (its path), WATCH_SECONDS, answer (WORD...: of this
#   key), handed_in (the scheduler took it, as `id`), slurm (SECONDS COMMAND...: calls one of Slurm's).
# Gives: ASKED (whom it asks, in words), hand_in (hands the key over and answers, with `handed_in` where it was taken), listed (sets `id` to what is
#   shown under the key), withdraw (ID: takes it back).
# shellcheck disable=SC2034  # ASKED is read by the script behind it

ASKED=squeue
LOG_FOLDER=$TREE/runs
case $TREE in *%*) LOG_FOLDER=$(printf '%s' "$TREE" | sed 's/%/%%/g')/runs ;; esac   # sbatch reads % in it

# listed: an id that the scheduler shows under this key, by comment or else by name, should a site rewrite one.
listed() { shown %k "$COMMENT" && { [ "$id" ] || shown %j "$NAME"; }; }

# shown FIELD TEXT: sets `id` to the first job whose field is that. The record that an impossible request leaves behind is no job.
shown() {
  rows=$(slurm "$SQUEUE_SECONDS" squeue -h -a -t all -u "$ME" -o "$FENCE$US%A$US%T$US%r$US$1" 2>&1) || return
  id=$(printf '%s\n' "$rows" | awk -F "$US" -v fence="$FENCE" -v text="$2" \
    '$1 == fence && NF == 5 && $5 == text && !($3 == "FAILED" && $4 == "BadConstraints") && $2 ~ /^[0-9]+$/ { print $2; exit }')
}

# hand_in OPTIONS...: only sbatch's own words decide, never how it died: killed in mid-call, its job exists all the same.
hand_in() {
  said=$(umask "$USER_UMASK"; exec_bare timeout -k 2 "$SBATCH_SECONDS" sbatch "$@" --parsable --export=ALL --propagate=NONE "$REQUEUE" \
    --job-name="$NAME" --comment="$COMMENT" --output="$LOG_FOLDER/$KEY/slurm-%j.log" --open-mode=append --chdir=/ \
    "bin/$BUILD/wrapper.sh" "$TREE" "$MARKER" "$KEY" "$BUILD" "$REQUEUE" "$WATCH_SECONDS" 2>&1)
  status=$?
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
