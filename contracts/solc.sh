#!/bin/sh
# forge expects a native solc; this answers like one with the pinned npm build of the compiler.
exec node "$(dirname "$0")/solc.mjs" "$@"
