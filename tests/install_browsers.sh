#!/bin/sh
# Debian's browsers and fonts for the tests with real ones, a TURN server, a false clock, and what network namespaces
# take. What is missing and cannot be installed is named: the tests that need it are skipped, and say so.
set -u

missing=""
for pair in chromium:chromium firefox-esr:firefox-esr; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
command -v ip >/dev/null 2>&1 || missing="$missing iproute2"
for pair in turnserver:coturn faketime:faketime; do
    [ -x "/usr/bin/${pair%%:*}" ] || missing="$missing ${pair##*:}"
done
for package in fonts-dejavu-core fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji; do
    dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "NOT INSTALLED:$missing. As root: apt-get install$missing. What needs them is not tested in this run."
    exit 0
fi

# Debian starts a TURN server as soon as it is installed; the tests start their own.
case "$missing" in *coturn*) mkdir -p /etc/systemd/system && ln -sfn /dev/null /etc/systemd/system/coturn.service ;; esac

export DEBIAN_FRONTEND=noninteractive
echo "Installing$missing"
if ! { apt-get update -qq && apt-get install -qq -y --no-install-recommends $missing; } </dev/null >/dev/null; then
    echo "NOT INSTALLED:$missing: apt-get failed. What needs them is not tested in this run."
fi
exit 0
