#!/bin/sh
# Runs a program as a strict cluster runs a pod: as a uid that nobody knows, without a home, a capability or a file that it may write, and
# with few descriptors. As root, in a mount namespace of its own:
#   confined.sh PYTHON-PREFIX CHECKOUT PACKAGES CONFIG HOME DESCRIPTORS PROGRAM...
# PACKAGES is relative to CHECKOUT. What the program may read is at /mnt: python, checkout, config. HOME: its value, empty for none.
set -eu
python=$1 checkout=$2 packages=$3 config=$4 home=$5 descriptors=$6
shift 6

mount --make-rprivate /
mount -t tmpfs -o mode=0755 none /mnt
mkdir /mnt/python /mnt/checkout /mnt/config
mkdir -m 0700 /mnt/closed      # root's: nobody else may enter
mount --bind "$python" /mnt/python
mount --bind "$checkout" /mnt/checkout
cp -r "$config/." /mnt/config/
chmod -R a+rX /mnt/config
findmnt -rno TARGET | while IFS= read -r place; do
  mount -o remount,bind,ro "$place" 2>/dev/null || :
done

cd /mnt/closed
setpriv=$(command -v setpriv) prlimit=$(command -v prlimit)
# no PATH: as in an image that has nothing but Python. With a C compiler in it, ctypes would want a place for temporary files
exec env -i ${home:+HOME="$home"} FAIRLEAD_BED="$FAIRLEAD_BED" PATH=/mnt/closed LC_ALL=C.UTF-8 LD_LIBRARY_PATH=/mnt/python/lib \
  PYTHONHOME=/mnt/python PYTHONPATH="/mnt/checkout/operator:/mnt/checkout/tests:/mnt/checkout/$packages" \
  "$prlimit" --nofile="$descriptors:$descriptors" \
  "$setpriv" --reuid 54321 --regid 54321 --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs "$@"
