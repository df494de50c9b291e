#!/bin/sh
# Builds the content of the images, in steps that the Dockerfile caches separately; tests/integration/deploy runs them all.
#   build.sh tools HOME            installs what the wheel is built with, locked by hash, into HOME.tools
#   build.sh wheel HOME            generates the contract's code and the list of places, and builds Unora as one wheel
#   build.sh packages HOME LOCK    installs the packages of an image, locked by hash, into a virtual environment at HOME
#   build.sh unora HOME            installs the wheel there
# HOME.tools is not copied into an image. The working folder holds the source.
set -eu
step=$1 home=$2 tools=$2.tools
# Bytecode is valid whatever times a builder gives to the files: a container could not keep what it compiled again.
export PYC_INVALIDATION_MODE=UNCHECKED_HASH

case $step in
tools)
    python3 -m venv --without-pip "$tools"
    uv pip install --quiet --python "$tools/bin/python" --require-hashes -r requirements-build.txt
    ;;
wheel)
    "$tools/bin/python" protos/generate.py
    "$tools/bin/python" services/identity/make_places.py
    "$tools/bin/python" -m hatchling build -t wheel -d "$tools/dist"
    ;;
packages)
    python3 -m venv --without-pip "$home"
    uv pip install --quiet --python "$home/bin/python" --require-hashes --compile-bytecode -r "$3"
    ;;
unora)
    uv pip install --quiet --python "$home/bin/python" --no-deps --offline --compile-bytecode "$tools"/dist/*.whl
    # Here uv keeps the time of the wheel, and the same source is to give the same files.
    about=$(echo "$home"/lib/python3.*/site-packages/unora-*.dist-info)
    rm "$about/uv_cache.json"
    sed -i '/uv_cache.json/d' "$about/RECORD"
    ;;
*)
    echo "build.sh: tools, wheel, packages or unora, not $step" >&2
    exit 2
    ;;
esac
