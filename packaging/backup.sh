#!/bin/sh
# A copy of Cronista while it runs: the database as of one moment, the key that signs its log, the uploaded files.
#
#   backup.sh DATA_DIRECTORY BACKUP_DIRECTORY [HOW_MANY_TO_KEEP]
#
# The uploaded files of all copies lie together in BACKUP_DIRECTORY/files.
set -eu
data=$1
backups=$2
keep=${3:-14}
umask 077

cronista backup "$backups/$(date -u +%Y%m%dT%H%M%SZ).cronista" --data "$data"
# Names sort by their moment: the oldest come first.
set -- "$backups"/*.cronista
while [ $# -gt "$keep" ]; do
    rm -f -- "$1" "$1.key"
    shift
done
