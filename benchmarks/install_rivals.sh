#!/bin/sh
# What the benchmarks compare Mixdown with: ffmpeg, GStreamer, Janus, from Debian. What is missing and cannot be installed
# is named: the benchmarks that compare with it say so and go on without.
set -u

missing=""
command -v ffmpeg >/dev/null 2>&1 || missing="$missing ffmpeg"
command -v gst-launch-1.0 >/dev/null 2>&1 || missing="$missing gstreamer1.0-tools"
for package in gstreamer1.0-plugins-base gstreamer1.0-plugins-good janus; do
    dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "NOT INSTALLED:$missing. As root: apt-get install$missing. What needs them is not compared in this run."
    exit 0
fi

# Debian starts Janus as soon as it is installed; the benchmarks start their own.
case "$missing" in *janus*) mkdir -p /etc/systemd/system && ln -sfn /dev/null /etc/systemd/system/janus.service ;; esac

export DEBIAN_FRONTEND=noninteractive
echo "Installing$missing"
if ! { apt-get update -qq && apt-get install -qq -y --no-install-recommends $missing; } </dev/null >/dev/null; then
    echo "NOT INSTALLED:$missing: apt-get failed. What needs them is not compared in this run."
fi
exit 0
