# In front of every script but the wrapper's.
# An answer is rows: fence, kind, fields, parted by the unit separator. Whatever else reaches standard output is noise.
# Every process costs a login node about a millisecond: what a shell can do by itself it does, and what is done for many keys is done once.
# Needs: FENCE (in front of each row), US (the unit separator), BIN_PATH (goes in front of PATH), TREE (where one is entered, as the next two), MARKER
#   (what it has to say), BUILD (whose folder in bin/ has to be ours, if any).
# shellcheck disable=SC2034  # what is set here is read by the scripts behind it

# The kernel says without a process who we are, and with which umask: sbatch carries its caller's into the job, the user's files keep the user's.
ME='' USER_UMASK=''
while read -r own word effective _; do
  case $own in Umask:) USER_UMASK=$word ;; Uid:) ME=$effective; break ;; esac
done </proc/self/status 2>/dev/null
case $ME in '' | *[!0-9]*) ME=$(id -u) ;; esac
case $USER_UMASK in '' | *[!0-7]*) USER_UMASK=$(umask) ;; esac
umask 077
unset CDPATH QUOTING_STYLE TIME_STYLE
LC_ALL=C
PATH=${BIN_PATH:+$BIN_PATH:}$PATH
export LC_ALL PATH
LOGIN=${LOGNAME:-$(id -un)}
LINE_END='
'
LINKS_TOO=
TAG=${FENCE%????????????????}   # half of it, which no other exec has: names what is made aside

# say KIND FIELD...: one row, in one write, so that several that say something at once cut nobody's row.
say() {
  ROW=$FENCE
  for field do ROW=$ROW$US$field; done
  printf '%s\n' "$ROW"
}

# words TEXT: a program's words in one row, bounded; its line ends become record separators.
words() { printf '%s' "$1" | tr '\n' '\036' | tr -s '\001-\035\037\177' ' ' | head -c 2000; }

# bare COMMAND...: nothing of the SSH session's environment but what says who and where we are, and what a site's own programs need to run at all: their
# libraries, their configuration and who they are to Slurm. What would change their output stays away. exec_bare COMMAND...: in the place of this shell.
bare() ( exec_bare "$@" )
exec_bare() {
  exec env -i ${SLURM_CONF:+"SLURM_CONF=$SLURM_CONF"} ${SLURM_CONF_SERVER:+"SLURM_CONF_SERVER=$SLURM_CONF_SERVER"} \
    ${SLURM_JWT:+"SLURM_JWT=$SLURM_JWT"} ${SLURM_SACK_SOCKET:+"SLURM_SACK_SOCKET=$SLURM_SACK_SOCKET"} ${KRB5CCNAME:+"KRB5CCNAME=$KRB5CCNAME"} \
    ${LD_LIBRARY_PATH:+"LD_LIBRARY_PATH=$LD_LIBRARY_PATH"} ${LD_PRELOAD:+"LD_PRELOAD=$LD_PRELOAD"} \
    HOME="$HOME" USER="$LOGIN" LOGNAME="$LOGIN" SHELL="${SHELL:-/bin/sh}" PATH="$PATH" "$@" </dev/null
}

# uptime: UPTIME is for how many seconds the machine is up; no clock that is set changes that. Empty where nobody says.
uptime() { UPTIME=; { read -r UPTIME _ </proc/uptime; } 2>/dev/null; UPTIME=${UPTIME%%.*}; }

# hung STATUS: whether a time-out ended the command.
hung() { [ "$1" = 124 ] || [ "$1" = 137 ] || [ "$1" = 143 ]; }

# begin, finish: the fence at both ends of an answer. What a dotfile has left running in this login's process group would hold the answer up, and be one
# more with each exec: it ends with us. Where a site's own command runs us, the group is not ours.
begin() { say begin; }
finish() {
  say end
  group=
  { read -r _ _ _ _ group _ <"/proc/$$/stat"; } 2>/dev/null
  trap '' TERM
  [ "$group" != $$ ] || kill -TERM 0
  exit 0
}

# ways PATH: adds the folders on the way to it to WAYS, from the top, one a line.
ways() {
  at='' rest=${1#/} WAYS=$WAYS/$LINE_END
  while [ "$rest" ]; do
    at=$at/${rest%%/*}
    WAYS=$WAYS$at$LINE_END
    case $rest in */*) rest=${rest#*/} ;; *) rest='' ;; esac
  done
}

# only_ours: whether nobody but us and root can change the tree that we are in, or put another in its place: the tree and its own folders are ours and
# closed to others; all above it, on the way that TREE names and on the one that it is, are ours or root's, and closed to others or sticky (as /tmp is).
# Else WHY says which is not, and what to do.
only_ours() {
  WAYS=
  ways "$TREE"
  ways "$(pwd -P)"
  for own in runs tmp bin host ${BUILD:+"bin/$BUILD"}; do
    if [ -h "$own" ] || { [ -e "$own" ] && [ ! -d "$own" ]; }; then
      WHY="$TREE/$own is not a folder: somebody has put something else in its place; remove that"
      return 1
    fi
    [ ! -d "$own" ] || WAYS=$WAYS./$own$LINE_END
  done
  set -f
  IFS=$LINE_END
  # shellcheck disable=SC2086  # lines are words now
  set -- . $WAYS
  unset IFS
  set +f
  open=$(opened "$@" 2>/dev/null) && [ -z "$open" ] && return 0   # a broken LD_PRELOAD makes every command say so
  open=${open%%"$LINE_END"*}
  # shellcheck disable=SC3067  # not POSIX, but dash, bash, ksh, zsh and busybox all have it
  if [ ! -e "$open" ]; then
    WHY="the folders on the way to $TREE cannot be looked at: $(words "$(opened "$@" 2>&1)")"
  elif [ -O "$open" ]; then
    WHY="others than $LOGIN can write to $(told "$open"), and so put their own in the place of $LOGIN's scripts: run 'chmod go-w' on it"
  else
    WHY="$(told "$open") belongs to another user or can be written to by others, who can so put their own in the place of $LOGIN's scripts: have it closed \
(owned by root, 'chmod go-w'), or use a Cluster with another workDir"
  fi
  return 1
}

# opened PATH...: those of them that others can change; relative ones are our own folders, absolute ones are on the way to it.
opened() {
  find -H "$@" -prune \( -path '.*' \( ! -user "$ME" -o -perm -020 -o -perm -002 \) \
    -o ! -path '.*' ! -perm -1000 \( -perm -020 -o -perm -002 \) -o ! -path '.*' ! -user 0 ! -user "$ME" \) -print
}

# told PATH: an entry of the tree by its whole path.
told() { case $1 in .) words "$TREE" ;; ./*) words "$TREE/${1#./}" ;; *) words "$1" ;; esac; }

# has_mark: LINE is what the tree's marker says. Who plants something in its place, or one without end, has no tree any more in any case.
has_mark() {
  if [ -f marker ] && [ -w marker ]; then
    { [ -f /proc/self/fd/3 ] && IFS= read -r LINE <&3; } 3<>marker
  else
    first_line marker
  fi
}

# into_tree: from here on every path is relative, so a mount that changes meanwhile changes nothing. Ends the script when it is not our tree.
into_tree() {
  if ! cd "$TREE" 2>/dev/null; then
    say no-tree "$TREE cannot be entered on this login node"
  elif ! has_mark 2>/dev/null; then
    say no-tree "$TREE holds no marker on this login node"
  elif [ "$LINE" != "$MARKER" ]; then
    say no-tree "$TREE holds another marker, $(words "$LINE")"
  elif ! only_ours; then
    say no-tree "$WHY"
  else
    return 0
  fi
  finish
}

# put FOLDER NAME TEXT: one line, whole or not at all.
put() {
  if printf '%s\n' "$3" >"$1/.$2.$TAG" && mv -f "$1/.$2.$TAG" "$1/$2"; then return 0; fi 2>/dev/null
  rm -f "$1/.$2.$TAG"
  return 1
}

# beginning FILE BYTES: prints it, in the place of this shell. A script may put a pipe in the file's place at any moment, which would hold up whoever opens
# it to read alone: so it is opened to be written, too, and looked at again. What cannot be opened so is read under a time-out.
beginning() {
  [ -f "$1" ] && [ -s "$1" ] || return
  if [ -w "$1" ]; then
    { [ -f /proc/self/fd/3 ] && exec head -c "$2" <&3; } 3<>"$1"
  else
    exec timeout -k 2 5 head -c "$2" "$1"
  fi
} 2>/dev/null

# first_line FILE [BYTES]: LINE is what one of our own scripts would have written there. A user's script may have written it instead: no more is read than a
# line may hold, whatever the file's size, and a longer line is none.
first_line() {
  LINE=
  [ -f "$1" ] && [ -s "$1" ] && LINE=$(beginning "$1" "${2:-4096}") && LINE=${LINE%%"$LINE_END"*}
  [ "$LINE" ] && [ "${#LINE}" -lt "${2:-4096}" ]
}

# plain KEY...: what stands under a name of ours in these directories, and is nothing that we write, goes: a pipe, a link or a file without end would hold
# up whoever reads it. `started` has two paths and may be the longest, 12 KiB. So does a link in the place of a directory, which may lead to another Run's.
# By so many at a time that its cost grows with their number and no faster, and that no argument list is too long.
plain() {
  batch='' batched=0
  for own do
    case $own in '' | *[!0-9a-f-]*) continue ;; esac   # it becomes a word
    [ ! -h "runs/$own" ] || rm -f "runs/$own"
    [ -d "runs/$own" ] || continue
    batch="$batch runs/$own" batched=$((batched + 1))
    [ "$batched" -lt 200 ] || { plain_batch; batch='' batched=0; }
  done
  [ "$batched" = 0 ] || plain_batch
}
plain_batch() {
  # shellcheck disable=SC2086  # words
  set -- $batch -mindepth 1 -maxdepth 1 \( ! -type f -o -size +24 \) \( -name owner -o -name id -o -name refused -o -name stop -o -name ready \
    -o -name orphaned -o -name process -o -name outcome -o -name 'started-*' -o -name 'finished-*' \) -exec rm -rf '{}' +
  if [ "$LINKS_TOO" ]; then
    LINKS=$LINKS$(exec find "$@" -o -type l \( -name claim -o -name never -o -name 'word-*' \) -exec ls -ldq '{}' + 2>/dev/null)$LINE_END
  else
    find "$@" 2>/dev/null
  fi
}

# plain_links KEY...: the same, and LINKS is what `ls` says of the links in these directories, in lines `... runs/KEY/NAME -> TARGET`. Where `ls` knows no
# -q, with which no target can forge a line, it says nothing: then each is to be read by itself.
plain_links() {
  LINKS='' LINKS_TOO=1
  plain "$@"
  LINKS_TOO=
}

# own_folders FOLDER...: makes those that are not there, closed to others whatever the folder above bequeaths: a default ACL there, as on many a project's
# scratch, overrides the umask.
own_folders() {
  for own do [ -d "$own" ] || mkdir -m 700 "$own" || [ -d "$own" ] || return; done
}

# revoke KEY: one `ln -s`, whose failure says nothing; CLAIM is what stands there now, and only that decides. (Each test spares a process.)
revoke() {
  own_folders "runs/$1" 2>/dev/null
  CLAIM=revoked
  [ ! -h "runs/$1/claim" ] && ln -s revoked "runs/$1/claim" 2>/dev/null || CLAIM=$(exec readlink "runs/$1/claim")
}

# is_leave TEXT CHECKSUM: whether it is the proof that a Run was left alone.
is_leave() { sum=$(printf '%s' "$1" | sha256sum) && [ "${sum%% *}" = "$2" ]; }

# last_start FOLDER: LAST is the highest restart that has `started`, or nothing.
last_start() {
  LAST=
  for file in "$1"/started-*; do
    case ${file##*-} in '' | *[!0-9]* | 0?* | ???????*) ;; *) [ "${file##*-}" -gt "${LAST:--1}" ] && LAST=${file##*-} ;; esac
  done
}

# ended FOLDER ID: whether the last start in it was of this id and has ended. A `finished` of an earlier start says nothing.
ended() {
  last_start "$1"
  [ "$LAST" ] && first_line "$1/finished-$LAST" && [ "${LINE%% *}" = "$2" ]
}
