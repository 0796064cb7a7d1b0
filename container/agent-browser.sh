#!/bin/sh
# agent-browser with the Chromium of this image, as the sandbox lets it run. Whoever calls it may set any of these otherwise.

# Its own sandbox would need namespaces, which there are none of inside ours.
export AGENT_BROWSER_EXECUTABLE_PATH="${AGENT_BROWSER_EXECUTABLE_PATH:-/usr/bin/chromium}"
export AGENT_BROWSER_ARGS="${AGENT_BROWSER_ARGS:---no-sandbox}"

# The one way out. Through it names are looked up outside: in here nobody could.
proxy="${AGENT_BROWSER_PROXY:-${HTTPS_PROXY:-${HTTP_PROXY:-}}}"
if [ -n "$proxy" ]; then export AGENT_BROWSER_PROXY="$proxy"; fi

# Its socket goes with the processes: in a home that outlives them it would lead nowhere.
export AGENT_BROWSER_SOCKET_DIR="${AGENT_BROWSER_SOCKET_DIR:-/tmp/agent-browser}"
# Chromium holds a good part of the sandbox's memory for as long as it is open.
export AGENT_BROWSER_IDLE_TIMEOUT_MS="${AGENT_BROWSER_IDLE_TIMEOUT_MS:-300000}"
export AGENT_BROWSER_NO_VERSION_CHECK="${AGENT_BROWSER_NO_VERSION_CHECK:-1}"

exec /usr/local/lib/nanoclaw/agent-browser/bin/agent-browser "$@"
