#!/bin/sh
# A copy of Cronista while it runs: the database as of one moment, the key that signs its log, the uploaded files.
#
#   backup.sh DATA_DIRECTORY BACKUP_DIRECTORY [HOW_MANY_TO_KEEP]
#
# Files are named by their digest and never change: those of all copies lie together in BACKUP_DIRECTORY/files. They are
# copied after the database, so that none is missing that it speaks of.
set -eu
data=$1
backups=$2
keep=${3:-14}
umask 077

cronista backup "$backups/$(date -u +%Y%m%dT%H%M%SZ).cronista" --data "$data"
if [ -d "$data/files" ]; then
    mkdir -p "$backups/files"
    cp -a -n "$data/files/." "$backups/files/"
fi
# Names sort by their moment: the oldest come first.
set -- "$backups"/*.cronista
while [ $# -gt "$keep" ]; do
    rm -f -- "$1" "$1.key"
    shift
done
