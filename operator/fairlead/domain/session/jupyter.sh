# Starts JupyterLab, or else the Jupyter Server, with the arguments that it is given: whichever is in the user's PATH on the node.
for program in jupyter-lab jupyter-server; do
  if command -v "$program" >/dev/null; then
    exec "$program" "$@"
  fi
done
echo "There is neither jupyter-lab nor jupyter-server in the PATH of $(uname -n). Load what has one in your login profile (as by \`module load\` or" \
  "\`conda activate\`), or install it (\`pip install --user jupyterlab\`), then apply the Session again. PATH is $PATH" >&2
exit 127
