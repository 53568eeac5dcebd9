# Submits each key once, whatever happened before: behind it stand, for each key, what is set for it, and `submit <its options>`.
# Standard input holds the scripts of all keys, one after the other, each of so many bytes.
# Needs: KEYS (words; the next are set for each of them), PREVIOUS (the key of the attempt before it, or empty), LOST (1: that one was judged lost),
#   AGAIN (1: submit what is there and has no answer), OWNER (the line of `owner`), SETTINGS (the text of `job`), ENVIRONMENT (the text of `env`), BYTES
#   (of its script on standard input), SHA256 (of the same), ASKED (whom it asks, in words), KEY, MARKER (what its marker says), TREE (its path), hand_in
#   (hands the key over and answers, with `handed_in` where it was taken), install_all (puts all files there that this scheduler's Runs need), listed
#   (sets `id` to what is shown under the key), prepare_more (sets MORE to what else it has put aside for the directory), withdraw (ID: takes it back).
# Gives: ASIDE (the key's folder aside), RUN (the key's directory), answer (WORD...: of this key), handed_in (the scheduler took it, as `id`).

SKIP=                           # word and reason with which every further key of this batch is answered

answer() { say submit "$KEY" "$@"; }

# set_aside: for each key a folder with a script that may be run and has nothing in it; for all of them as many processes as for one.
set_aside() {
  set --
  for key in $KEYS; do set -- "$@" "tmp/$key.$TAG"; done
  mkdir -m 700 "$@" || return
  for aside do true >"$aside/script" || return; done
  chmod 700 tmp/*."$TAG"/script
}

# leave: the answer's end, and nothing aside.
leave() { rm -rf tmp/*."$TAG"; finish; }

# give_up: nothing aside when whoever asked is gone (PIPE), or has told us to end (TERM): a key whose Job is deleted now may have its tombstone already.
give_up() { rm -rf tmp/*."$TAG"; exit 1; }

# take FILE: this key's script, tested before anything is made of it; what cannot be stored is read past.
take() {
  into=$1
  true 2>/dev/null >"$into" || into=/dev/null
  [ "$BYTES" = 0 ] || dd bs="$BYTES" count=1 iflag=fullblock 2>/dev/null >"$into"
  [ "$into" = "$1" ] && sum=$(exec sha256sum <"$into") && [ "${sum%% *}" = "$SHA256" ]
}

# accepted: writes the id down; a refusal before it counts no longer.
accepted() { put "$RUN" id "$id" && [ -e "$RUN/refused" ] && rm -f "$RUN/refused"; }

# handed_in: the scheduler took it, as `id`; revoked meanwhile, it is taken back. (The first test spares a process.)
handed_in() {
  accepted
  if [ -h "$RUN/claim" ] && [ "$(exec readlink "$RUN/claim")" = revoked ]; then
    withdraw "$id"
    answer revoked
  else
    answer submitted "$id"
  fi
}

# look: somebody has begun with this key: what is there answers. Succeeds only when it has to be submitted again.
look() {
  [ -d "$RUN" ] || { answer unknown 1 "the run directory cannot be made (over quota, or no permission)"; return 1; }
  plain "$KEY"
  set -- "$RUN"/*               # lists the folder afresh: an NFS client may remember that a file was not there
  CLAIM=$(exec readlink "$RUN/claim")
  case $CLAIM in
    revoked) answer revoked; return 1 ;;
    ?*) answer claimed "${CLAIM%%.*}"; return 1 ;;
  esac
  if [ -s "$RUN/refused" ]; then
    [ "$AGAIN" ] || { first_line "$RUN/refused"; answer refused "${LINE%% *}" "${LINE#* }"; return 1; }
  elif [ -s "$RUN/id" ]; then
    first_line "$RUN/id"; answer submitted "$LINE"; return 1
  fi
  trap - TERM                     # a scheduler's command that hangs would keep it from being heard
  id=''; listed; status=$?
  trap give_up TERM
  if [ "$status" != 0 ]; then
    hung "$status" && SKIP="busy $ASKED did not answer"
    answer unknown "$status" "$ASKED did not answer"
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
  plain "$PREVIOUS"
  revoke "$PREVIOUS"
  case $CLAIM in
    revoked) return 0 ;;
    '') answer unknown 1 "the claim of $PREVIOUS can be neither made nor read" ;;
    *) [ "$LOST" ] || ended "runs/$PREVIOUS" "${CLAIM%%.*}" && return 0; answer alive "${CLAIM%%.*}" ;;
  esac
  return 1
}

# make_ready: all that the wrapper needs moves in before the scheduler knows of it, with what the scheduler's part adds (MORE: an entry put aside, or
# nothing); `ready` comes last.
make_ready() {
  MORE=
  prepare_more || return
  if [ -e "$RUN/ready" ]; then
    [ -z "$MORE" ] || mv -f "$MORE" "$RUN/"
    return
  fi
  printf '%s' "$SETTINGS" >"$ASIDE/job" && printf '%s' "$ENVIRONMENT" >"$ASIDE/env" && printf '%s\n' "$OWNER" >"$ASIDE/owner" &&
    mv -f "$ASIDE/owner" "$ASIDE/job" "$ASIDE/env" "$ASIDE/script" ${MORE:+"$MORE"} "$RUN/" && true >"$RUN/ready"
}

submit() {
  RUN=runs/$KEY ASIDE=tmp/$KEY.$TAG
  if [ "$SKIP" ]; then take /dev/null; answer "${SKIP%% *}" 1 "${SKIP#* }"; return; fi
  if ! take "$ASIDE/script"; then
    answer unknown 1 "the script did not arrive whole, or could not be stored"
  elif ! previous_is_over; then
    :
  elif ! mkdir -m 700 "$RUN" 2>/dev/null && ! look; then
    :
  elif ! make_ready 2>/dev/null; then
    answer unknown 1 "the run directory cannot be written (disk full, or over quota)"
  else
    trap - TERM                   # as above
    hand_in "$@"
    trap give_up TERM
  fi
}

begin
into_tree
trap give_up PIPE TERM
{ install_all && set_aside; } 2>/dev/null || SKIP="unknown the wrapper and the scripts cannot be stored (disk full, or over quota)"
