#!/bin/sh
# Runs in the image's build: installs what uv.lock says of this platform into /opt/fairlead, wheels only, each by its hash.
set -eu

export UV_PROJECT_ENVIRONMENT=/opt/fairlead UV_PYTHON_DOWNLOADS=never UV_NO_CACHE=1 UV_LINK_MODE=copy UV_NO_BUILD=1
/tools/bin/uv venv --quiet --python "$(command -v python3)" "$UV_PROJECT_ENVIRONMENT"
/tools/bin/uv sync --quiet --no-progress --locked --no-default-groups --extra traces --no-install-project
