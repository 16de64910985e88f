#!/bin/sh
# What the image runs: when it is built, when it serves, and when it is asked whether it is well.
# tests/service/test_container.py runs the same without a container.
#
#   commands.sh install FOLDER           an environment with the service, from the project in this folder;
#                                        PYTHON: its interpreter
#   commands.sh serve FOLDER [OPTION…]   the service, on HOST and PORT
#   commands.sh health FOLDER            exit code 0 if it answers
set -eu
command=$1
folder=$2
shift 2
port=${PORT:-8000}

case $command in
install)
    # uv comes from the lock file, and goes when it has done its work.
    uv=$(mktemp -d)
    trap 'rm -rf "$uv"' EXIT
    sed -n '/^uv==/,/# via/p' requirements.lock > "$uv/requirements.txt"
    python3 -m venv "$uv/venv"
    "$uv/venv/bin/pip" install --quiet --no-cache-dir --disable-pip-version-check --require-hashes \
        --requirement "$uv/requirements.txt"
    "$uv/venv/bin/uv" venv --quiet --python "${PYTHON:-python3}" "$folder"
    "$uv/venv/bin/uv" pip install --quiet --no-cache --compile-bytecode --python "$folder/bin/python" \
        --constraint requirements.lock --build-constraint requirements.lock '.[serve]'
    ;;
serve)
    exec "$folder/bin/dminity" serve --host "${HOST:-0.0.0.0}" --port "$port" --watch "$@"
    ;;
health)
    exec "$folder/bin/python" -c "
from urllib.request import ProxyHandler, build_opener
build_opener(ProxyHandler({})).open('http://127.0.0.1:$port/healthz', timeout=5)"
    ;;
*)
    echo "error: there is no command $command; see the head of $0" >&2
    exit 2
    ;;
esac
