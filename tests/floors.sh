#!/usr/bin/env bash
# The floors of the house: a folder includes only from the folders below it, and the outside libraries stay where they
# belong. Prints each line that does not hold.
set -euo pipefail
cd "$(dirname "$0")/.."
declare -A below=(
  [core]="" [runtime]="core" [local]="core runtime" [postgres]="core runtime" [redis]="core runtime" [net]="core runtime"
  [queue]="core runtime postgres redis"
  [api]="core runtime postgres redis net" [features]="core runtime postgres redis net api queue"
  [commands]="core runtime local postgres redis net api queue features"
)
bad=0
complain() { echo "$1"; bad=1; }
for floor in "${!below[@]}"; do
  allowed=" $floor ${below[$floor]} "
  while IFS=: read -r file line include; do
    target=${include#*\"}
    target=${target%%/*}
    [ -d "src/$target" ] || continue
    case "$file" in *_test.cpp) continue ;; esac
    [[ "$allowed" == *" $target "* ]] || complain "$file:$line: $floor/ must not include $target/"
  done < <(grep -rnE '^#include "[a-z_]+/' "src/$floor" --include='*.cpp' --include='*.hpp' || true)
done
only() { # PATTERN FOLDER...
  local pattern=$1 hit
  shift
  while IFS= read -r hit; do
    for folder in "$@"; do [[ "$hit" == "$folder"/* ]] && continue 2; done
    complain "$hit: <$pattern> belongs to $*"
  done < <(grep -rnE "#include <$pattern" src tools --include='*.cpp' --include='*.hpp' || true)
}
only 'boost/beast' src/net src/third_party_build
only 'curl/' src/net
only 'libpq' src/postgres
only 'yaml-cpp' src/core
only 'CLI/' src/commands
only 'date/' src/queue
while IFS= read -r hit; do complain "$hit: settings are read in core/settings only"; done \
  < <(grep -rnE '\b(secure_)?getenv\(' src --include='*.cpp' --include='*.hpp' | grep -v '^src/core/settings' || true)
while IFS= read -r hit; do complain "$hit: only authentication makes a Principal"; done \
  < <(grep -rnE '\bPrincipal\(' src --include='*.cpp' --include='*.hpp' | grep -v -E '^src/(core/principal.hpp|features/identity/authentication|queue/jobs/principal.hpp)' | grep -v '_test.cpp' || true)
[ $bad -eq 0 ] && echo "The floors hold."
exit $bad
