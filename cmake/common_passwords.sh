#!/bin/sh
# common_passwords.sh FREQUENCIES OUT: the passwords that many people have, of at least 8 characters, one a line in the
# order of their bytes, from the lists of Debian's python3-zxcvbn.
set -eu
sed -n 's/^ *"passwords": "\([^"]*\)".*/\1/p' "$1" | tr , '\n' | awk 'length >= 8' | LC_ALL=C sort -u >"$2.new"
if [ "$(wc -l <"$2.new")" -lt 10000 ]; then
  echo "common_passwords.sh: $1 is not the file that it was" >&2
  exit 1
fi
mv "$2.new" "$2"
