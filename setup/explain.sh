#!/usr/bin/env bash
# explain.sh <log of a step>: why it failed, what to do, and where the log is. What a step said itself comes first.
set -euo pipefail
file=$1
text=$(tail -c 100000 "$file" | tr -d '\0')

noted() { sed -n "s/^setup: $1: //p" <<<"$text" | tail -n 1; }
says() { grep -qiE "$1" <<<"$text"; }
free_kb() { df -Pk . 2>/dev/null | awk 'NR == 2 { print $4 }'; }

why=$(noted why)
remedy=$(noted remedy)
if [ -n "$why" ]; then
  :
elif says 'ENOSPC|No space left on device|Disk quota exceeded|os error 28\b' || [ "$(free_kb)" = 0 ]; then
  why='The disk is full.'
  remedy="Make room on $(df -Pk . | awk 'NR == 2 { print $6 }') and run this again: it goes on where it stopped."
elif says 'SELF_SIGNED_CERT|UNABLE_TO_(GET|VERIFY)|self.signed certificate|certificate verify failed|invalid peer certificate|UnknownIssuer'; then
  why="A server's certificate isn't trusted: something on the way (a company's proxy?) signs with an authority of its own."
  remedy="Add that authority to the system's store (\`update-ca-certificates\`), or set NODE_EXTRA_CA_CERTS to its file."
elif says 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|Temporary failure|Could not resolve|error sending request|dns error|Failed to fetch|Unable to connect'; then
  why="A server that this needs can't be reached: the machine is offline, or a proxy or firewall is in the way."
  remedy='Check the connection (behind a proxy: set HTTPS_PROXY) and run this again.'
elif says '\b(E401|E403|ERR_PNPM_FETCH_40[13])\b'; then
  why='The package registry refuses access.'
  remedy="Look at \`npm config get registry\` and the credentials that it needs."
elif says '\b(E404|ETARGET|ERR_PNPM_FETCH_404|ERR_PNPM_NO_MATCHING_VERSION)\b'; then
  why="The package registry doesn't have a version that this needs."
  remedy="Look at \`npm config get registry\`: a mirror may lag behind or be incomplete."
elif says 'ERR_PNPM_TARBALL_INTEGRITY|EINTEGRITY|integrity check failed'; then
  why="What was downloaded isn't what this version was tested with: its hash is another one."
  remedy='Run this again. If it stays, the registry or a proxy changes packages: don'"'"'t go on.'
elif says 'Could not get lock|is locked by another process'; then
  why="The system's package manager is busy."
  remedy='Wait until its other work is done, and run this again.'
elif says 'Unable to locate package|has no installation candidate'; then
  why="The system's package sources don't have a package that this needs."
  remedy="Look at the log, and at the package manager's sources."
elif says 'EADDRINUSE|address already in use'; then
  why='A port or socket that this needs is in use.'
  remedy="Stop what uses it: \`bin/ncl status\` shows this checkout's own host."
elif says 'EROFS|Read-only file system'; then
  why='This folder is on a read-only file system.'
  remedy='Clone the project to a place that can be written.'
elif says 'EACCES|EPERM|Permission denied|Operation not permitted'; then
  why="This user hasn't the rights that this needs."
  remedy="Look at the log for the file; \`chown -R $(id -un) .\` makes the checkout yours again."
else
  why="$(grep -v '^setup: ' <<<"$text" | grep -v '^[[:space:]]*$' | tail -n 1 | cut -c 1-300 || true)"
  why=${why:-It ended without a word.}
  remedy='Look at its log, and run this again: what is done already stays done.'
fi
printf '    Why:  %s\n    Do:   %s\n' "$why" "$remedy"
if [ -f "$file" ]; then printf '    Log:  %s\n' "$file"; fi
