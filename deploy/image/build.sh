#!/bin/sh
# Builds the image's content in two steps, which the Dockerfile caches separately; tests/integration/deploy runs both.
#   build.sh dependencies HOME   installs the runtime dependencies, locked by hash, into a virtual environment at HOME
#   build.sh unora HOME          generates the contract's code and the list of places, and installs Unora there as one wheel
# Build tools stay in HOME.tools, which is not copied into the image. The working folder holds the source.
set -eu
step=$1 home=$2 tools=$2.tools

case $step in
dependencies)
    python3 -m venv --without-pip "$home"
    uv pip install --quiet --python "$home/bin/python" --require-hashes --compile-bytecode -r requirements.txt
    python3 -m venv --without-pip "$tools"
    uv pip install --quiet --python "$tools/bin/python" --require-hashes -r requirements-build.txt
    ;;
unora)
    "$tools/bin/python" protos/generate.py
    "$tools/bin/python" services/identity/make_places.py
    "$tools/bin/python" -m hatchling build -t wheel -d "$tools/dist"
    uv pip install --quiet --python "$home/bin/python" --no-deps --offline --compile-bytecode "$tools"/dist/*.whl
    ;;
*)
    echo "build.sh: dependencies or unora, not $step" >&2
    exit 2
    ;;
esac
