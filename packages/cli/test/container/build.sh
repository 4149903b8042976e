#!/usr/bin/env bash
# `npm run container --workspace sansmtp`: builds the image of docs/operating.md by buildah, and runs it as it says.
#
# Needs root, Debian's buildah and mmdebstrap, a Debian mirror and npm's registry, and no registry of images: the base is a root made by
# mmdebstrap with this machine's Node and npm in it, the packages are those of this checkout. Takes some minutes; with ROOT_ARCHIVE, such a
# root as a tar file that is there already, fewer.
set -euo pipefail
cd "$(dirname "$0")/../../../.."

work=$(mktemp -d)
buildah() { command buildah --storage-driver vfs --root "$work/storage" --runroot "$work/run" "$@"; }
relay=
finish() {
  [ -z "$relay" ] || kill -KILL "$relay" 2>/dev/null || true
  buildah rm --all >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT

echo '== the base image'
root=${ROOT_ARCHIVE:-$work/root.tar}
[ -f "$root" ] || TMPDIR=$work mmdebstrap --mode=root --variant=minbase --dpkgopt=force-unsafe-io --include=ca-certificates,libstdc++6 \
  "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$root" 2>"$work/mmdebstrap.log" || { cat "$work/mmdebstrap.log"; exit 1; }
base=$(buildah from scratch)
npm=$(dirname "$(dirname "$(realpath "$(command -v npm)")")")
buildah add --quiet "$base" "$root" / >/dev/null
buildah copy --quiet "$base" "$(realpath "$(command -v node)")" /usr/local/bin/node >/dev/null
buildah copy --quiet "$base" "$npm" /usr/local/lib/node_modules/npm >/dev/null
buildah run --isolation chroot "$base" -- sh -c '
  ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
  mkdir -p /usr/local/etc
  printf "cafile=/etc/ssl/certs/ca-certificates.crt\nprefer-offline=true\ncache=/var/cache/npm\n" >/usr/local/etc/npmrc
  groupadd --gid 1000 node && useradd --uid 1000 --gid node --create-home node'
# The name that the Containerfile begins from.
buildah commit --quiet "$base" docker.io/library/node:22-slim >/dev/null

echo '== the image'
mkdir -p "$work/context/packages"
for manifest in packages/*/package.json; do
  node -e 'process.exit(require(process.argv[1]).private ? 1 : 0)' "$PWD/$manifest" || continue
  (cd "$(dirname "$manifest")" && npm pack --silent --ignore-scripts --pack-destination "$work/context/packages" >/dev/null)
done
# As the document has it, but for where the packages come from.
sed -n '/^```dockerfile$/,/^```$/p' docs/operating.md | sed '1d;$d' |
  sed 's#npm install --global sansmtp#npm install --global /packages/*.tgz#; s#^FROM .*#&\nCOPY packages /packages#' >"$work/context/Containerfile"
grep -q '/packages/\*\.tgz' "$work/context/Containerfile"
# The machine may trust authorities of its own, and has in npm's cache what the checkout was installed from.
buildah bud --quiet --format docker --isolation chroot --pull-never --tag sansmtp \
  --volume /etc/ssl/certs:/etc/ssl/certs:ro --volume "$(npm config get cache)":/var/cache/npm "$work/context" >"$work/bud.log" 2>&1 ||
  { cat "$work/bud.log"; exit 1; }

echo '== the container'
container=$(buildah from --pull-never sansmtp)
of_image() { buildah inspect --format "{{range .Docker.Config.$1}}{{printf \"%s\n\" .}}{{end}}" "$container"; }
mapfile -t command < <(of_image Entrypoint; of_image Cmd)
[ "$(buildah run --isolation chroot "$container" -- sh -c 'echo "$(id -un) $PWD $(stat -c %U .)"')" = 'node /var/lib/sansmtp node' ]
echo "${command[*]}"
command buildah --storage-driver vfs --root "$work/storage" --runroot "$work/run" run --isolation chroot "$container" -- "${command[@]}" >"$work/out" 2>"$work/log" &
relay=$!
until grep -q '^listening smtp 0\.0\.0\.0:2525$' "$work/out"; do kill -0 "$relay" || { cat "$work/log"; exit 1; }; sleep 0.2; done

healthy=$(sed -n 's/^HEALTHCHECK .*CMD //p' "$work/context/Containerfile")
[ -n "$healthy" ]
buildah run --isolation chroot "$container" -- sh -c "$healthy"
# Nobody has to be known for the postmaster to get mail.
exec 3<>/dev/tcp/127.0.0.1/2525
printf 'EHLO here\r\nMAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\nDATA\r\nSubject: a\r\n\r\na\r\n.\r\nQUIT\r\n' >&3
timeout 60 cat <&3 | tee "$work/dialogue"
grep -q '^250 2\.0\.0 Message queued as ' "$work/dialogue"
until buildah run --isolation chroot "$container" -- sh -c 'ls mail/new/* >/dev/null 2>&1'; do sleep 0.5; done

# Node is the last in the line of buildah's processes.
node=$relay
while child=$(pgrep --parent "$node" | head -1) && [ -n "$child" ]; do node=$child; done
kill -TERM "$node"
code=0
wait "$relay" || code=$?
relay=
echo "ended with $code"
[ "$code" -eq 0 ]
! buildah run --isolation chroot "$container" -- sh -c "$healthy" 2>/dev/null
echo 'the image builds, and its command receives, stores and ends in order'
