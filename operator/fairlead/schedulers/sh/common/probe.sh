# Makes or finds the tree and says what the site is.
# Needs: WORK_DIR (the Cluster's), SERVER (the uid of its API server's kube-system), KNOWN (the marker that is remembered, or empty), FRESH (a new one),
#   LAYOUT (the number of the tree's layout), WHO (this installation's own name in the tree), FOLDER (the tree's name in WORK_DIR), INSTALLATION (its
#   name), install_all (puts all files there that this scheduler's Runs need), BUILD (names their folder), look_at_scheduler (says what it is, and whether
#   it can be used).
# Gives: TREE, full (WORDS: nothing can be stored there), problem (KIND WORDS: tells why it cannot be used).
# shellcheck disable=SC2015  # A && B || C is meant: C when either fails

problem() { say problem "$1" "$(words "$2")"; finish; }

# full WORDS: a write that failed, often without a word of the shell's. What is there can be looked at, ended and removed all the same.
full() { say problem not-writable "$(words "${1:-$TREE takes no new file (no space left, or over quota)}")"; }

# no_room WORDS: the same, without a tree; what was begun aside goes, else each probe would leave one more.
no_room() { rm -f ".marker.$TAG"; full "$1"; finish; }

# find_tree: a tree that we remember is never made again: its folder is a mount that is missing, or somebody has removed it.
find_tree() {
  # shellcheck disable=SC2174  # what is made on the way to it is as the umask has it
  why=$(mkdir -p -m 700 "$WORK_DIR" 2>&1) || problem not-writable "$why"
  cd "$WORK_DIR" 2>/dev/null || problem not-writable "$WORK_DIR cannot be entered"
  if [ ! -d "$FOLDER" ]; then
    [ -z "$KNOWN" ] || problem not-ours "$TREE is gone"
    why=$(mkdir "$FOLDER" 2>&1) || [ -d "$FOLDER" ] || problem not-writable "$why"
  fi
  cd "$FOLDER" 2>/dev/null || problem not-ours "$TREE cannot be entered"
  # shellcheck disable=SC3067  # not POSIX, but dash, bash, ksh, zsh and busybox all have it
  [ -O . ] || problem not-ours "$TREE belongs to another user"
  [ -e marker ] || chmod 700 .
  only_ours || problem not-safe "$WHY"
}

# find_marker: made aside and linked, which fails where one is: of two that make it, both then read the same.
find_marker() {
  if [ ! -e marker ]; then
    [ -z "$KNOWN" ] || problem not-ours "$TREE has lost its marker"
    why=$( { mark "$FRESH" && put . layout "$LAYOUT"; } 2>&1) || no_room "$why"
    why=$(ln ".marker.$TAG" marker 2>&1)
    rm -f ".marker.$TAG"
    [ -s marker ] || problem not-writable "$why"
  fi
  server=
  { IFS= read -r seen && IFS= read -r whose && { IFS= read -r server || :; }; } <marker || problem not-ours "$TREE has a marker that cannot be read"
  if [ "$whose" != "$INSTALLATION" ] || [ "${server:-${KNOWN:+$SERVER}}" != "$SERVER" ]; then
    problem not-ours "$TREE is marked as installation $whose of the API server ${server:-that it does not name}, and this is installation $INSTALLATION of the \
API server $SERVER (the uid of its namespace kube-system). Nothing is touched there: start one of the two with another --installation, or, if the other is gone \
for good, remove the folder"
  fi
  [ -z "$KNOWN" ] || [ "$seen" = "$KNOWN" ] || problem not-ours "$TREE holds another marker, $seen"
  [ "$server" ] || why=$(mark "$seen" && mv -f ".marker.$TAG" marker 2>&1) || no_room "$why"   # made before marks named it, and remembered
  number=$(head -n 1 layout 2>/dev/null)
  [ "$number" = "$LAYOUT" ] || problem not-ours "$TREE is of layout ${number:-unknown}, this release knows $LAYOUT"
  [ -e "by-$WHO" ] || true 2>/dev/null >"by-$WHO"   # who else uses it keeps it from being taken away
}

# clear_aside: what is made aside here. A controller that ends cuts this script by TERM, and nobody else would take it away before it is a day old.
clear_aside() { rm -f ".marker.$TAG" ".layout.$TAG" "tmp/.probe.$TAG.$TAG" "tmp/probe.$TAG" bin/"$BUILD"/.*."$TAG"; }

# mark RANDOM: the marker, aside: which tree it is, and whose.
mark() { printf '%s\n%s\n%s\n' "$1" "$INSTALLATION" "$SERVER" >".marker.$TAG"; }

# shellcheck disable=SC2088  # the tilde is what the user wrote
case $WORK_DIR in '~') WORK_DIR=$HOME ;; '~/'*) WORK_DIR=$HOME/${WORK_DIR#??} ;; esac
TREE=${WORK_DIR%/}/$FOLDER
begin
trap 'clear_aside; exit 1' TERM
find_tree
find_marker
why=$(install_all 2>&1) && put tmp "probe.$TAG" "$FENCE" || full "$why"
rm -f "tmp/probe.$TAG"
trap - TERM                             # a scheduler's command that hangs would keep it from being heard
say tree "$TREE" "$seen"
look_at_scheduler
finish
