#!/bin/sh
# What the image is made of, in two steps that the Dockerfile caches apart; tests/integration/deploy runs the same two.
#   build.sh dependencies HOME   what Unora needs to run, locked by hash, into a virtual environment at HOME
#   build.sh unora HOME          the contract's code generated, and Unora as one wheel installed there
# Tools are left beside it in HOME.tools, which the image does not take along. The working folder is the source.
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
    "$tools/bin/python" -m hatchling build -t wheel -d "$tools/dist"
    uv pip install --quiet --python "$home/bin/python" --no-deps --offline --compile-bytecode "$tools"/dist/*.whl
    ;;
*)
    echo "build.sh: dependencies or unora, not $step" >&2
    exit 2
    ;;
esac
