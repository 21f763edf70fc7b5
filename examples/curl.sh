#!/bin/sh
# Every way to ask a server, with curl: sh examples/curl.sh photo.jpg [http://127.0.0.1:8000]
# With keys on the server: EMOLENS_KEY=... sh examples/curl.sh photo.jpg
set -eu
photo=$1
url=${2:-http://127.0.0.1:8000}

ask() {
    curl --fail-with-body --silent --show-error ${EMOLENS_KEY:+--header "Authorization: Bearer $EMOLENS_KEY"} "$@"
    echo
}

ask "$url/predict" --form "file=@$photo" --form include_scores=true
ask "$url/predict_emojis" --header 'Content-Type: application/octet-stream' --data-binary "@$photo"
ask "$url/predict/batch" --form "file=@$photo" --form "file=@$photo"
ask "$url/models"
