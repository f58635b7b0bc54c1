#!/bin/sh
# What the benchmarks compare Mixdown with: ffmpeg, GStreamer, Janus, and perf, which looks into it, from Debian. What is
# missing and cannot be installed is named: the benchmarks that need it say so and go on without.
set -u

missing=""
command -v ffmpeg >/dev/null 2>&1 || missing="$missing ffmpeg"
command -v gst-launch-1.0 >/dev/null 2>&1 || missing="$missing gstreamer1.0-tools"
for package in gstreamer1.0-plugins-base gstreamer1.0-plugins-good janus; do
    dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
command -v perf >/dev/null 2>&1 || missing="$missing linux-perf"
[ -z "$missing" ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "NOT INSTALLED:$missing. As root: apt-get install$missing. What needs them is not measured in this run."
    exit 0
fi

# Debian starts Janus as soon as it is installed; the benchmarks start their own.
case "$missing" in *janus*) mkdir -p /etc/systemd/system && ln -sfn /dev/null /etc/systemd/system/janus.service ;; esac

export DEBIAN_FRONTEND=noninteractive
echo "Installing$missing"
apt-get update -qq </dev/null >/dev/null
failed=""
for package in $missing; do # one by one: a system that does not have one of them (Ubuntu: linux-perf) has the others
    apt-get install -qq -y --no-install-recommends "$package" </dev/null >/dev/null || failed="$failed $package"
done
[ -z "$failed" ] || echo "NOT INSTALLED:$failed: apt-get failed. What needs them is not measured in this run."
exit 0
