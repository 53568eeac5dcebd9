# What a person would read of a file that a program has written as to a terminal: of each line its last state. A progress bar goes back in its line, or some
# lines up, and writes over what stands there; of a million redraws one line is left.
# Needs: nothing.
# Gives: FOLD (the program for awk), foldable (in front of it).
# shellcheck disable=SC2016,SC2034  # its dollars are awk's own; what is set here is read by the scripts behind it

# FOLD: the program for awk. Its input is bytes of the file with one line end behind them, through `foldable`; HELD in its environment is what the piece in
# front of them has left. It prints rows of FENCE: text, bytes of text that follow, bytes of the input that were read (after OFFSET), what is left; without
# a FENCE the text alone. What is left goes to descriptor 3, too, behind the bytes and in front of a full stop.
#
# MODE: more (the file goes on: what may still be written over is held), rest (nothing comes for now: show all, once), end (nothing comes any more).
#
# Held are LINES from `first` to `bottom`, which begin where the cursor went up to; `column` counts characters, and -1 is the end of the line. SEEN is what was shown of
# each; `opened` is the one that stands at the end of what was shown, without a line end yet.
FOLD='
function characters(s) {
  if (s ~ /[\200-\277]/) gsub(/[\200-\277]+/, "", s)
  return length(s)
}
# cut: where in s, in bytes, its first n characters end.
function cut(s, n,   at, has) {
  if (s !~ /[\200-\377]/) return n
  for (at = n; (has = characters(substr(s, 1, at))) < n && at < length(s); at += n - has);
  while (substr(s, at + 1, 1) ~ /[\200-\277]/) at++
  return at
}
# whole: s without the beginning of a character whose end has not come yet.
function whole(s,   end, n) {
  end = substr(s, length(s) - 2)
  if (!match(end, /[\300-\367][\200-\277]*$/)) return s
  n = substr(end, RSTART, 1) ~ /[\360-\367]/ ? 4 : substr(end, RSTART, 1) ~ /[\340-\357]/ ? 3 : 2
  return RLENGTH < n ? substr(s, 1, length(s) - RLENGTH) : s
}
# shown: a line without the blanks with which a program has erased what stood there.
function shown(at,   line) {
  line = LINES[at]
  if (at in DRAWN && substr(line, length(line)) == " ") sub(/ +$/, "", line)
  return line
}
# moves: whether it is more than plain text. (On a long line an expression would take many times as long.)
function moves(s) { return index(s, "\r") || index(s, "\b") || index(s, "\033") }
function place() {
  if (column < 0) column = characters(LINES[row])
}
function put(s,   line, wide) {
  if (s == "") return
  line = LINES[row]
  if (column < 0 || line == "" && column == 0) {
    LINES[row] = line s
    column = -1
    return
  }
  DRAWN[row] = 1
  wide = characters(line)
  if (column >= wide) {
    LINES[row] = line sprintf("%" (column - wide) "s", "") s
    column = -1
    return
  }
  wide = column + characters(s)
  LINES[row] = substr(line, 1, cut(line, column)) s substr(line, cut(line, wide) + 1)
  column = wide
}
# returns: the last text stands, and behind it what is longer of those before: so only the longer ones are looked at.
function returns(s,   n, at, text, wide, end, other, has) {
  if (!index(s, "\r")) { put(s); return }
  n = split(s, PARTS, "\r")
  put(PARTS[1])
  PARTS[1] = LINES[row]
  for (at = n; at > 1 && PARTS[at] == ""; at--);
  if (at == 1) { column = 0; return }
  DRAWN[row] = 1
  text = PARTS[at]
  wide = characters(text)
  end = at == n ? wide : 0
  for (at--; at > 0; at--) {
    other = PARTS[at]
    if (length(other) > wide && (has = characters(other)) > wide) {
      text = text substr(other, cut(other, wide) + 1)
      wide = has
    }
  }
  LINES[row] = text
  column = end == wide ? -1 : end
}
function backspaces(s,   n, at) {
  if (!index(s, "\b")) { returns(s); return }
  n = split(s, BACK, "\b")
  returns(BACK[1])
  for (at = 2; at <= n; at++) {
    place()
    if (column) column--
    if (BACK[at] != "") returns(BACK[at])
  }
}
# up: above what is held are lines that were given already; what is written over them is shown as lines of its own.
function up(n) {
  place()
  row -= n > 64 ? 64 : n
  while (first > row) { first--; LINES[first] = SEEN[first] = "" }
  if (row < top) top = row
}
function down(n) {
  place()
  row = row + n < bottom ? row + n : bottom
}
# control: one sequence that moves or erases; of all others only the words of no terminal are text.
function control(kind, given,   n, line) {
  if (given ~ /^[<-?]/) return
  n = given + 0
  line = LINES[row]
  if (kind == "K" || kind == "J" && n == 0) {
    place()
    DRAWN[row] = 1
    if (n == 0) LINES[row] = substr(line, 1, cut(line, column))
    else if (n == 1) { n = cut(line, column); LINES[row] = sprintf("%" column "s", "") substr(line, n + 1) }
    else LINES[row] = ""
    if (kind == "J") for (n = row + 1; n <= bottom; n++) LINES[n] = ""
    return
  }
  if (n < 1) n = 1
  if (n > 4096) n = 4096
  if (kind == "A" || kind == "F") up(n)
  else if (kind == "B" || kind == "E") down(n)
  else if (kind == "C") { place(); column += n }
  else if (kind == "D") { place(); column = n < column ? column - n : 0 }
  else if (kind == "G") column = n - 1
  if (kind == "E" || kind == "F") column = 0
}
function draw(s,   n, at, end) {
  if (!index(s, "\033")) { backspaces(s); return }
  n = split(s, ESCAPED, "\033")
  backspaces(ESCAPED[1])
  for (at = 2; at <= n; at++) {
    s = ESCAPED[at]
    if (match(s, /^\[[0-?]*[ -.\/]*[@-~]/)) {
      end = RLENGTH                         # busybox: changed by what is called here
      control(substr(s, end, 1), substr(s, 2, end - 2))
      backspaces(substr(s, end + 1))
    } else backspaces("\033" s)
  }
}
function line_end() {
  size += length(LINES[row]) + 1
  column = 0
  if (row++ < bottom) return
  bottom = row
  LINES[row] = ""
  if (top < bottom - 64) top = bottom
}
function print_later(s) {
  if (s == "") return
  OUT[++outs] = s
  out_bytes += length(s)
}
function close_open() {
  if (opened < 0) return
  print_later("\n")
  opened = -1
}
# show: one line, unless it was shown as it is; `open`: it may go on.
function show(at, open,   line) {
  line = shown(at)
  if (opened < 0 && !open && !(at in SEEN)) {
    OUT[++outs] = line "\n"
    out_bytes += length(line) + 1
    return
  }
  if (open && MODE == "rest") line = whole(line)
  if (at == opened) {
    if (substr(line, 1, length(SEEN[at])) != SEEN[at]) { close_open(); print_later(line) }
    else print_later(substr(line, length(SEEN[at]) + 1))
  } else if (!(at in SEEN) || SEEN[at] != line) {
    if (open && line == "") return
    close_open()
    print_later(line)
  } else return
  SEEN[at] = line
  opened = at
  if (!open) close_open()
}
# left: what the next piece needs to go on. A line that was shown and is another now is shown as a new one.
function left(   at, s, dirty, line) {
  if (opened >= 0 && substr(LINES[opened], 1, length(SEEN[opened])) != SEEN[opened]) { delete SEEN[opened]; close_open() }
  for (at = first; at <= bottom; at++) {
    line = shown(at)
    if (!(at in SEEN) || SEEN[at] != whole(line)) dirty = dirty || at < bottom || line != ""
    s = s "\036" (at in SEEN && SEEN[at] == line ? "=" : "~") (at in DRAWN ? "d" : "-") LINES[at]
  }
  at = opened < 0 ? "-1 0" : opened - first " " length(SEEN[opened])
  return (dirty ? "dirty" : "clean") " " row - first " " column " " at "\036" pending s
}
# give: print what is finished; with `all` what is not, too.
function give(all,   keep, at, held) {
  keep = top < row ? top : row
  for (at = keep; at < row; at++) held += length(LINES[at]) + 1
  if (held > 32768) keep = row
  for (at = first; at < keep; at++) show(at, 0)
  if (all) {
    for (; at < bottom; at++) {
      show(at, 0)
      if (!(at in SEEN)) SEEN[at] = shown(at)
    }
    show(bottom, row == bottom)
    if (row != bottom && !(bottom in SEEN)) SEEN[bottom] = shown(bottom)
  }
  for (at = first; at < keep; at++) { delete LINES[at]; delete SEEN[at]; delete DRAWN[at] }
  first = keep
  if (opened < first) opened = -1
  if (length(LINES[row]) > 32768) {         # longer than any bar: what stands there stays
    show(row, row == bottom)
    LINES[row] = ""
    opened = column = -1
    delete SEEN[row]
    delete DRAWN[row]
  }
  size = 0
  held = left()
  if (FENCE != "") printf "%s\037text\037%d\037%.0f\037%s\n", FENCE, out_bytes, OFFSET + consumed, held
  for (at = 1; at <= outs; at++) printf "%s", OUT[at]
  outs = out_bytes = 0
  return held
}
function take(s) {
  if (pending != "") { s = pending s; pending = "" }
  if (moves(s)) draw(s)
  else put(s)
}
BEGIN {
  FENCE = ENVIRON["FOLD_FENCE"]
  MODE = ENVIRON["MODE"]
  OFFSET = ENVIRON["OFFSET"] + 0
  consumed = size = outs = out_bytes = column = 0
  first = row = bottom = 100                # so that above it are no numbers below 0
  top = 1000000000
  opened = -1
  LINES[first] = pending = ""
  n = split(ENVIRON["HELD"], given, "\036")
  if (n > 2) {
    split(given[1], words, " ")
    row = first + words[2]
    column = words[3] + 0
    if (words[4] >= 0) opened = first + words[4]
    pending = given[2]
    bottom = first + n - 3
    for (at = first; at <= bottom; at++) {
      n = given[at - first + 3]
      LINES[at] = substr(n, 3)
      if (substr(n, 2, 1) == "d") DRAWN[at] = 1
      if (substr(n, 1, 1) == "=") SEEN[at] = shown(at)
    }
    if (opened >= 0) SEEN[opened] = substr(LINES[opened], 1, words[5])
  }
}
NR > 1 {
  if (row == bottom && !column && pending == "" && LINES[row] == "" && !moves(before)) {   # a plain line
    LINES[row] = before
    LINES[row = ++bottom] = ""
    size += length(before) + 1
    if (top < bottom - 64) top = bottom
  } else {
    take(before)
    line_end()
  }
  consumed += length(before) + 1
  if (size > 65536) give(0)
}
{ before = $0 }
END {
  consumed += length(before)
  before = pending before
  pending = ""
  if (MODE != "end" && index(before, "\033") && match(before, /\033(\[[0-?]*[ -.\/]*)?$/) && RLENGTH < 64) {
    at = RSTART
    take(substr(before, 1, at - 1))
    pending = substr(before, at)
  } else take(before)
  held = give(MODE != "more")
  if (FENCE != "") printf "%.0f\036%s.", OFFSET + consumed, held >"/proc/self/fd/3"
}'

# foldable: what awk and our rows could not take stands as another control character, which nobody sees; the number of bytes stays.
foldable() { tr '\000\036\037' '\001\001\001'; }
