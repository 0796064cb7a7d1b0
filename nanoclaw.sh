#!/usr/bin/env bash
# From a machine as it comes to an answered message. What is in place already is left as it is: run it as often as you like.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# It sets up the install of this checkout.
unset NANOCLAW_HOME
# The agents' sandboxes, which run as other users, read what is installed here.
umask 022

usage() {
  cat <<'HELP'
Usage: bash nanoclaw.sh [options]

Installs what is missing, starts the host and lets the agent answer a message. Without options it asks.

  --yes                     ask nothing; take what is given, and defaults for the rest
  --message "…"             send one message, and print nothing but the reply on stdout
  --provider demo|claude    who answers; with no credential: demo, which needs no account
  --runtime NAME            what agents are locked in: docker or podman, or bubblewrap, which is taken where no engine answers
  --name NAME               the agent's name; Andy at first
  --timezone ZONE           such as Europe/Berlin; this machine's at first
  --service                 keep the host running after a crash, a logout, a reboot; without --yes it asks
  --credential-file PATH    a file with the key or token, alone or as NAME=value
  --channel NAME            connect that app, too: telegram, web, …; without --yes it asks which, and for what it needs
  --channel-settings PATH   a file with what that app needs, as NAME=value lines
  --help                    this

Credentials are never given as an argument, which other users could read. They come from the environment
(ANTHROPIC_API_KEY, ANTHROPIC_AUTH_TOKEN, CLAUDE_CODE_OAUTH_TOKEN as made by `claude setup-token`; ANTHROPIC_BASE_URL),
from a file, or are typed when asked for. They are kept in .env, which only you can read. What an app needs comes in the
same ways, as <CHANNEL>_<NAME> (TELEGRAM_TOKEN), and is kept in data/channels/.
HELP
}

refuse() {
  # shellcheck disable=SC2016 # nothing in there is to be expanded
  printf 'nanoclaw.sh: %s\nSee `bash nanoclaw.sh --help`.\n' "$1" >&2
  exit 2
}

# The last word is Node's, which isn't there yet; a machine without a list of zones leaves it at the form.
may_be_timezone() {
  local zones=/usr/share/zoneinfo
  if [ "$1" = UTC ]; then return; fi
  if [[ ! $1 =~ ^[A-Za-z]+(/[A-Za-z0-9_+-]+)+$ ]]; then return 1; fi
  if [ ! -e "$zones/Europe/Berlin" ] || [ -f "$zones/$1" ]; then return; fi
  # Older names, and other letter cases, may be in the list alone.
  grep -qiwF -- "$1" "$zones/tzdata.zi" 2>/dev/null
}

arguments=("$@")
interactive=yes
runtime=''
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      usage
      exit 0
      ;;
    --yes | -y) interactive=no ;;
    --service) ;;
    --message | --provider | --runtime | --name | --timezone | --credential-file | --channel | --channel-settings)
      if [ $# -lt 2 ] || [[ ! $2 =~ [^[:space:]] ]]; then refuse "$1 needs a value."; fi
      if [ "$1" = --timezone ] && ! may_be_timezone "$2"; then
        refuse 'There is no time zone of that name; an example is Europe/Berlin.'
      fi
      if [ "$1" = --provider ] && [[ ! $2 =~ ^[a-z0-9-]+$ || ! -e providers/$2/host.ts ]]; then
        refuse "There is no provider of that name; there are: $(cd providers && echo *)."
      fi
      if [ "$1" = --runtime ]; then
        case $2 in
          bubblewrap | docker | podman) runtime=$2 ;;
          *) refuse 'There is no runtime of that name; there are: bubblewrap docker podman.' ;;
        esac
      fi
      if [ "$1" = --channel ] && [[ ! $2 =~ ^[a-z0-9-]+$ || ! -e channels/$2/manifest.ts ]]; then
        refuse 'There is no channel of that name: `bin/ncl channels available` shows them.'
      fi
      if [ "$1" = --channel-settings ] && [ ! -r "$OLDPWD/$2" ] && [ ! -r "$2" ]; then
        refuse "The file of the channel's settings can not be read."
      fi
      if [ "$1" = --credential-file ] && [ ! -r "$OLDPWD/$2" ] && [ ! -r "$2" ]; then
        refuse 'The credential file can not be read.'
      fi
      shift
      ;;
    --message=* | --provider=* | --runtime=* | --name=* | --timezone=* | --credential-file=* | --channel=* | --channel-settings=*)
      refuse "Write ${1%%=*} and its value as two words."
      ;;
    *) refuse "There is no option ${1%%=*}." ;;
  esac
  shift
done
if [ "$interactive" = yes ] && [ ! -t 0 ]; then
  refuse 'There is no terminal to ask questions on. Run it with --yes.'
fi

# Before anything that the bash of macOS is too old for.
if [ "$(uname -s)" = Darwin ]; then
  if docker version >/dev/null 2>&1 || podman version >/dev/null 2>&1; then
    why="A container engine answers, but this version's host runs on Linux alone."
    remedy='Run it in a virtual machine with Linux; there it needs no engine.'
  else
    why='macOS has no sandbox of its own that this can use: it needs a container engine, and none answers.'
    remedy='Run it in a virtual machine with Linux, where it needs none.'
  fi
  printf '  ✗ machine\n    Why:  %s\n    Do:   %s\n' "$why" "$remedy" >&2
  exit 1
fi

# shellcheck source=setup/steps.sh
. setup/steps.sh
# shellcheck source=setup/machine.sh
. setup/machine.sh
# shellcheck source=setup/runtimes.sh
. setup/runtimes.sh
# shellcheck source=setup/packages.sh
. setup/packages.sh

trap 'say "  Interrupted. Run this again: it goes on where it stopped."; exit 130' INT
open_logs
trust_system_store
step machine check_machine
hold_lock
step runtimes ensure_runtimes
step bubblewrap ensure_bubblewrap
step packages ensure_packages host
release_lock

export NANOCLAW_SETUP_STEP=$step_number
export NANOCLAW_SETUP_CWD=$OLDPWD
exec .runtime/bin/node --use-system-ca setup/main.ts ${arguments[@]+"${arguments[@]}"}
