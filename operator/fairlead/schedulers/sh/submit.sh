# Submits each key once, whatever happened before. Set before it: TREE, MARKER, BUILD, *_SECONDS, LOST_WORDS (sbatch's, after which the job may exist).
# Then for each key: KEY PREVIOUS LOST AGAIN REQUEUE NAME COMMENT OWNER SETTINGS ENVIRONMENT BYTES SHA256, and `submit <sbatch options>`.
# Standard input holds the scripts of all keys, one after the other, each of so many bytes.

SKIP=                           # word and reason with which every further key of this batch is answered

answer() { say submit "$KEY" "$@"; }

# take FILE: this key's script, tested before anything is made of it; what cannot be stored is read past.
take() {
  into=$1
  true 2>/dev/null >"$into" || into=/dev/null
  [ "$BYTES" = 0 ] || dd bs="$BYTES" count=1 iflag=fullblock 2>/dev/null >"$into"
  [ "$into" = "$1" ] && sum=$(sha256sum <"$into") && [ "${sum%% *}" = "$SHA256" ]
}

# listed: an id that the scheduler shows under this key, by comment or else by name, should a site rewrite one.
listed() { shown %k "$COMMENT" && { [ "$id" ] || shown %j "$NAME"; }; }

# shown FIELD TEXT: sets `id` to the first job whose field is that. The record that an impossible request leaves behind is no job.
shown() {
  rows=$(slurm "$SQUEUE_SECONDS" squeue -h -a -t all -u "$ME" -o "$FENCE$US%A$US%T$US%r$US$1" 2>&1) || return
  id=$(printf '%s\n' "$rows" | awk -F "$US" -v fence="$FENCE" -v text="$2" \
    '$1 == fence && NF == 5 && $5 == text && !($3 == "FAILED" && $4 == "BadConstraints") && $2 ~ /^[0-9]+$/ { print $2; exit }')
}

# accepted: writes the id down; a refusal before it counts no longer.
accepted() { put "$RUN" id "$id" && [ -e "$RUN/refused" ] && rm -f "$RUN/refused"; }

# look: somebody has begun with this key: what is there answers. Succeeds only when it has to be submitted again.
look() {
  [ -d "$RUN" ] || { answer unknown 1 "the run directory cannot be made (over quota, or no permission)"; return 1; }
  set -- "$RUN"/*               # lists the folder afresh: an NFS client may remember that a file was not there
  CLAIM=$(readlink "$RUN/claim")
  case $CLAIM in
    revoked) answer revoked; return 1 ;;
    ?*) answer claimed "${CLAIM%%.*}"; return 1 ;;
  esac
  if [ -s "$RUN/refused" ]; then
    [ "$AGAIN" ] || { read -r status said <"$RUN/refused"; answer refused "$status" "$said"; return 1; }
  elif [ -s "$RUN/id" ]; then
    read -r id <"$RUN/id"; answer submitted "$id"; return 1
  fi
  id=''; listed; status=$?
  if [ "$status" != 0 ]; then
    hung "$status" && SKIP="busy squeue did not answer"
    answer unknown "$status" "squeue did not answer"
  elif [ "$id" ]; then
    accepted
    answer submitted "$id"
  elif [ -z "$AGAIN" ]; then
    answer not-yet
  else
    return 0
  fi
  return 1
}

# previous_is_over: revokes the attempt before this one. Claimed, it must have ended, or have been judged lost.
previous_is_over() {
  [ "$PREVIOUS" ] || return 0
  revoke "$PREVIOUS"
  case $CLAIM in
    revoked) return 0 ;;
    '') answer unknown 1 "the claim of $PREVIOUS can be neither made nor read" ;;
    *) [ "$LOST" ] || ended "runs/$PREVIOUS" "${CLAIM%%.*}" && return 0; answer alive "${CLAIM%%.*}" ;;
  esac
  return 1
}

# make_ready: all that the wrapper needs moves in before sbatch; `ready` comes last.
make_ready() {
  [ -e "$RUN/ready" ] && return 0
  printf '%s' "$SETTINGS" >"$ASIDE/job" && printf '%s' "$ENVIRONMENT" >"$ASIDE/env" && printf '%s\n' "$OWNER" >"$ASIDE/owner" &&
    chmod 700 "$ASIDE/script" && mv -f "$ASIDE/owner" "$ASIDE/job" "$ASIDE/env" "$ASIDE/script" "$RUN/" && true >"$RUN/ready"
}

# hand_in OPTIONS...: only sbatch's own words decide, never how it died: killed in mid-call, its job exists all the same.
hand_in() {
  said=$(umask "$USER_UMASK"; bare timeout -k 2 "$SBATCH_SECONDS" sbatch "$@" --parsable --export=ALL --propagate=NONE "$REQUEUE" \
    --job-name="$NAME" --comment="$COMMENT" --output="$LOG_FOLDER/$KEY/slurm-%j.log" --open-mode=append --chdir=/ \
    "bin/$BUILD/wrapper.sh" "$TREE" "$MARKER" "$KEY" "$BUILD" "$REQUEUE" "$WATCH_SECONDS" 2>&1)
  status=$?
  [ "$status" = 143 ] && status=124
  id=$(printf '%s\n' "$said" | sed -n 's/^\([1-9][0-9]*\)\(;.*\)*$/\1/p')
  if [ "$status" = 0 ] && [ "$id" ]; then
    accepted
    if [ "$(readlink "$RUN/claim")" = revoked ]; then
      slurm "$SCANCEL_SECONDS" scancel --name="$NAME" "$id" >/dev/null 2>&1
      answer revoked
    else
      answer submitted "$id"
    fi
    return
  fi
  hung "$status" && SKIP="busy sbatch did not answer in $SBATCH_SECONDS s"
  said=$(words "$said")
  says_no "$status" && put "$RUN" refused "$status $said"
  answer refused "$status" "$said"
}

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

submit() {
  RUN=runs/$KEY ASIDE=tmp/$KEY.$TAG
  if [ "$SKIP" ]; then take /dev/null; answer "${SKIP%% *}" 1 "${SKIP#* }"; return; fi
  mkdir "$ASIDE" 2>/dev/null
  if ! take "$ASIDE/script"; then
    answer unknown 1 "the script did not arrive whole, or could not be stored"
  elif ! previous_is_over; then
    :
  elif ! mkdir "$RUN" 2>/dev/null && ! look; then
    :
  elif ! make_ready 2>/dev/null; then
    answer unknown 1 "the run directory cannot be written (disk full, or over quota)"
  else
    hand_in "$@"
  fi
  rm -rf "$ASIDE"
}

LOG_FOLDER=$(printf '%s' "$TREE" | sed 's/%/%%/g')/runs   # sbatch reads % in it
begin
into_tree
install_wrapper 2>/dev/null || SKIP="unknown the wrapper cannot be stored (disk full, or over quota)"
