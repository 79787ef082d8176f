#!/usr/bin/env bash
# Installs schemathesis, which asks a server whether it does what an OpenAPI description says, at a pinned version into build/schemathesis, for
# tests/system/test_openapi.py. Prints the program's path. Fails where the Python registry cannot be reached within five minutes.
set -euo pipefail
version=4.32.5
root=$(cd "$(dirname "$0")/../.." && pwd)
place=$root/build/schemathesis
if [ "$(cat "$place/version" 2> /dev/null)" != "$version" ]; then
  rm -rf "$place"
  /usr/bin/python3 -m venv "$place"
  timeout 300 "$place/bin/pip" install --quiet --disable-pip-version-check --retries 1 --timeout 15 "schemathesis==$version" >&2
  echo "$version" > "$place/version"
fi
echo "$place/bin/schemathesis"
