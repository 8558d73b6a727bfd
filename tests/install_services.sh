#!/bin/bash
# Installs what the tests need from Debian, where missing: PostgreSQL, Chromium, Alertmanager.
# Says first what. Starts no service: the tests start their own. NO_APT=1 installs nothing.
set -euo pipefail

has() { command -v "$1" >/dev/null 2>&1; }
has_postgres() { has postgres || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null; }
has_browser() { has chromium || has chromium-browser || has google-chrome; }
has_alertmanager() { has prometheus-alertmanager || has alertmanager; }

packages=()
has_postgres || packages+=(postgresql)
has_browser || packages+=(chromium)
has_alertmanager || packages+=(prometheus-alertmanager)
[ ${#packages[@]} -eq 0 ] && exit 0

why=
if [ "${NO_APT:-}" = 1 ]; then why='NO_APT=1'
elif ! has apt-get; then why='there is no apt-get here'
elif [ "$(id -u)" -ne 0 ]; then why='only root can install them'
fi
if [ -n "$why" ]; then
    echo "Not installed, for $why: ${packages[*]}. The tests that need them are skipped by name." >&2
    [ "${TOCSIN_NO_SKIPS:-}" = 1 ] && exit 1
    exit 0
fi

echo "Installing with apt-get, for the tests: ${packages[*]} (NO_APT=1 stops this)"

# Debian starts a service, and makes a database cluster, as it installs one. Neither is wanted.
policy=/usr/sbin/policy-rc.d
cluster=/etc/postgresql-common/createcluster.d/tocsin-tests.conf
made=()
trap '[ ${#made[@]} -eq 0 ] || rm -f "${made[@]}"' EXIT
if [ ! -e "$policy" ]; then
    made+=("$policy")
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
if ! has_postgres; then
    made+=("$cluster")
    mkdir -p "${cluster%/*}"
    echo 'create_main_cluster = false' >"$cluster"
fi

export DEBIAN_FRONTEND=noninteractive
apt=(apt-get -qq -o Dpkg::Use-Pty=0 -o Acquire::Retries=3)
log=$(mktemp)
if ! { "${apt[@]}" update && "${apt[@]}" install --yes --no-install-recommends "${packages[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    echo "apt-get could not install ${packages[*]}: its last lines are above. NO_APT=1 runs the tests without." >&2
    exit 1
fi
rm -f "$log"
