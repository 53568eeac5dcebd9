#!/bin/sh
# program.sh TARGET, run in the image's build: builds the wheel, installs it beside its dependencies, and puts below TARGET all that the image
# has besides its base: /opt/fairlead, and licences and the list of parts in /usr/share/doc/fairlead.
set -eu
target=$1
home=/opt/fairlead
python=$(basename "$(readlink -f "$home/bin/python")")

/tools/bin/python -m hatchling build --target wheel --directory dist >/dev/null 2>&1
/tools/bin/pip --quiet --python "$home/bin/python" install --no-compile --no-deps --no-index --find-links dist fairlead

documents=$target/usr/share/doc/fairlead
mkdir -p "$documents" "$target/opt" "$target/usr/lib/$python"
cp LICENSE "$documents/LICENSE"
cp third-party.md "$documents/THIRD_PARTY.md"
/tools/bin/cyclonedx-py environment --output-reproducible --output-format JSON --output-file "$documents/sbom.cdx.json" \
  --pyproject pyproject.toml --mc-type application "$home"

# Of `kubernetes`, the generated models and calls, 74 MB: Fairlead asks in JSON, and neither it nor kopf needs them.
for kind in client/api client/models aio/client/api aio/client/models; do
  find "$home/lib/$python/site-packages/kubernetes/$kind" -name '*.py' ! -name __init__.py -delete
done

# Bytecode beside each module, believed without a look at the source: the root file system is read-only, and times differ between builds.
# The base has none of Python's own modules either.
compile="$home/bin/python -m compileall -q --invalidation-mode unchecked-hash"
$compile "$home/lib"
$compile -s /stdlib -p "/usr/lib/$python" -x '/(idlelib|lib2to3|ensurepip|pydoc_data|test|tkinter|turtledemo|unittest)/' /stdlib
(cd /stdlib && find . -name '*.pyc' -exec cp --parents -t "$target/usr/lib/$python" {} +)

# In the image Python is Debian's own. Other programs that came with the dependencies are not needed.
find "$home/bin" -type f ! -name '*fairlead*' -delete
rm "$home"/bin/python*
ln -s "/usr/bin/$python" "$home/bin/python"
ln -s python "$home/bin/python3"
rm -f "$home/.gitignore" "$home/.lock" "$home/CACHEDIR.TAG"
printf 'home = /usr/bin\ninclude-system-site-packages = false\n' >"$home/pyvenv.cfg"
cp -a "$home" "$target$home"
chmod -R u=rwX,go=rX "$target"
