#!/bin/sh
# The types of web/**/*.js (JSDoc, jsconfig.json) by TypeScript's checker, installed into the environment's folder on first
# use. Where there is no node or no registry, that is said, and nothing is checked.
set -u

node_folder=${1:?the folder to install into}
tsc=$node_folder/node_modules/.bin/tsc

if ! command -v node >/dev/null 2>&1 || ! command -v npm >/dev/null 2>&1; then
    echo "NOT CHECKED: the types of the pages, which takes node and npm (apt-get install nodejs npm)."
    exit 0
fi
if [ ! -x "$tsc" ]; then
    mkdir -p "$node_folder"
    if ! npm install --silent --no-audit --no-fund --prefix "$node_folder" typescript@5 >/dev/null 2>&1; then
        echo "NOT CHECKED: the types of the pages: npm could not install typescript."
        exit 0
    fi
fi
exec "$tsc" -p jsconfig.json
