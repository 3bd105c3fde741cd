#!/bin/sh
# Makes in the folder FOLDER what the services of compose.yml must know and nobody else may:
#   secret-key          signs sessions and links
#   postgres-password   with which PostgreSQL makes its user, at its first start
#   pgpass              the same in the form that PostgreSQL's clients read
# What is there already stays, so it may run at every start.
set -eu
umask 077
folder=${1:?usage: make-secrets.sh FOLDER}

# Under another name first: a file that is there is whole.
keep() {
  cat >"$folder/$1.new"
  sync
  mv -- "$folder/$1.new" "$folder/$1"
}

for name in secret-key postgres-password; do
  [ -s "$folder/$name" ] || python -c 'import secrets; print(secrets.token_urlsafe(48))' | keep "$name"
done
printf '*:*:*:*:%s\n' "$(cat -- "$folder/postgres-password")" | keep pgpass
