# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What the scripts share: messages, packages, the cache of fetched guests.
# Sourced by bash scripts that have set -euo pipefail.
shopt -s inherit_errexit

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${XENEMU_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/xenemu}

# die MESSAGE: the one way to fail
die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# usage_error MESSAGE: the caller was called wrongly
usage_error() {
	echo "${0##*/}: $* (try --help)" >&2
	exit 2
}

# help_text: the comment at the head of the running script
help_text() {
	sed -n '3,/^$/ s/^# \{0,1\}//p' "$0"
}

# step TEXT: a new step of a long script begins; total in STEPS
STEP=0
STEPS=${STEPS:-1}
step() {
	STEP=$((STEP + 1))
	printf '[%d/%d %3ds] %s\n' "$STEP" "$STEPS" "$SECONDS" "$*" >&2
}

# progress COMMAND...: run it, its output indented and cut to a line's width.
# What it said is kept and shown in full when it fails.
progress() {
	local log status=0
	log=$(mktemp)
	"$@" 2>&1 </dev/null | tee "$log" | sed -u -E 's/^(.{90}).+/\1.../; s/^/    /' >&2 ||
		status=$?
	if [ $status -ne 0 ]; then
		echo "${0##*/}: failed with status $status: $*" >&2
		tail -n 200 "$log" >&2
	fi
	rm -f "$log"
	return $status
}

# as_root COMMAND...
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "this needs root: become root, or install sudo, to run: $*"
	fi
}

apt_get() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 \
		-o DPkg::Lock::Timeout=300 "$@"
}

# update_lists: apt-get update, at most once a run
LISTS_UPDATED=
update_lists() {
	[ -z "$LISTS_UPDATED" ] || return 0
	LISTS_UPDATED=yes
	progress apt_get update || echo "${0##*/}: going on with the package lists as they are" >&2
}

# freshen_lists: update the package lists where they are missing or a day old
freshen_lists() {
	local lists=/var/lib/apt/lists
	if ! compgen -G "$lists/*Packages*" >/dev/null ||
		[ -z "$(find $lists -maxdepth 0 -mmin -1440)" ]; then
		update_lists
	fi
}

# use_architecture ARCH: from now on, fetch packages of another architecture.  Where
# this host's package client does not know it, it gets lists in the cache for that.
use_architecture() {
	local dir=$CACHE/apt-$1
	! dpkg --print-foreign-architectures | grep -qxF "$1" || return 0
	mkdir -p "$dir/lists/partial" "$dir/cache"
	cat >"$dir/apt.conf" <<-END
		APT::Architecture "$1";
		APT::Architectures { "$1"; };
		Dir::State::Lists "$dir/lists";
		Dir::Cache "$dir/cache";
	END
	export APT_CONFIG=$dir/apt.conf
	find "$dir/lists" -name '*Packages*' -mmin -1440 | grep -q . ||
		progress apt-get -q -o APT::Sandbox::User="$(id -un)" update ||
		echo "${0##*/}: going on with the package lists that came" >&2
}

# need_packages PURPOSE...: install what scripts/packages lists for them and
# this host does not have
need_packages() {
	local wanted missing
	mapfile -t wanted < <(awk -v purposes=" $* " \
		'!/^#/ && index(purposes, " " $1 " ") { print $2 }' "$TOP/scripts/packages")
	if ! command -v apt-get >/dev/null; then
		echo "${0##*/}: no apt-get here: taken as present: ${wanted[*]}" >&2
		return 0
	fi
	mapfile -t missing < <(missing_packages "${wanted[@]}")
	[ ${#missing[@]} -gt 0 ] || return 0
	freshen_lists
	echo "    installing: ${missing[*]}" >&2
	install_packages "${missing[@]}" ||
		{ update_lists && install_packages "${missing[@]}"; } ||
		die "these packages can't be installed: ${missing[*]}"
}

install_packages() {
	progress apt_get install -y --no-install-recommends "$@"
}

missing_packages() {
	local installed
	installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
		sed -n 's/^installed //p') || true
	printf '%s\n' "$@" | grep -vxF "${installed:-none}" || true
}

# package_deb PACKAGE: print the path of its .deb in the cache; it is fetched
# with the package client when it is not there yet, and never installed
package_deb() {
	local name
	mkdir -p "$CACHE"
	name=$(deb_name "$1") || { freshen_lists && name=$(deb_name "$1"); } ||
		name=$(newest_cached "$1") ||
		die "apt-get knows no package $1 (apt-get update?)"
	if [ ! -e "$CACHE/$name" ]; then
		download_deb "$1" || { update_lists && download_deb "$1"; } ||
			die "package $1 can't be fetched"
		name=$(newest_cached "$1")
	fi
	echo "$CACHE/$name"
}

deb_name() {
	apt-get download --print-uris "$1" 2>/dev/null | awk '{ print $2 }' | grep .
}

newest_cached() {
	(cd "$CACHE" && ls -t "${1%:*}"_*.deb 2>/dev/null | head -n 1 | grep .)
}

# A sub-shell, so that what a failed or interrupted download leaves goes away.
download_deb() (
	tmp=$(mktemp -d "$CACHE/download.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	download_to "$tmp" "$1" && touch "$tmp"/*.deb && mv "$tmp"/*.deb "$CACHE"
)

# download_to DIR PACKAGE...
download_to() (
	cd "$1" || exit
	shift
	chmod 755 .
	progress apt-get -q -o APT::Sandbox::User="$(id -un)" download "$@"
)

# package_files PACKAGE PATH...: print a directory of the cache that holds these
# paths (relative, without a leading /) as the package has them
package_files() {
	(
		mkdir -p "$CACHE"
		exec 9>"$CACHE/lock"
		flock 9
		unpack_package "$@"
	)
}

unpack_package() {
	local package=$1 deb dir path tmp
	shift
	deb=$(package_deb "$package") || return
	dir=${deb%.deb}
	for path; do
		[ ! -e "$dir/$path" ] || continue
		tmp=$(mktemp -d "$CACHE/unpack.XXXXXX")
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$tmp" "./$path" ||
			{ rm -rf "$tmp" "$deb" && die "${deb##*/} is damaged, or has no $path"; }
		mkdir -p "$(dirname "$dir/$path")"
		mv "$tmp/$path" "$dir/$path"
		rm -rf "$tmp"
	done
	echo "$dir"
}

# program_tree PACKAGE PATH: print a directory of the cache that holds this program of the
# package in bin/ and the shared libraries that it is linked with in lib/, fit to be copied
# into a guest's root
program_tree() {
	local deb
	deb=$(package_deb "$1")
	(
		exec 9>"$CACHE/lock"
		flock 9
		[ -e "${deb%.deb}-tree" ] || make_tree "$deb" "$@"
	)
	echo "${deb%.deb}-tree"
}

# make_tree DEB PACKAGE PATH.  The package client knows all packages that belong to it on
# an empty system, the loader which of their libraries are needed.
make_tree() {
	local tmp names deb tree=${1%.deb}-tree
	tmp=$(mktemp -d "$CACHE/unpack.XXXXXX")
	trap "rm -rf '$tmp'" EXIT
	mkdir -p "$tmp/all" "$tmp/libraries" "$tmp/tree/bin" "$tmp/tree/lib"
	names=$(apt-get -s -o Dir::State::status=/dev/null --no-install-recommends install "$2" |
		sed -n -E 's/^Inst (z?lib[^ ]*).*/\1/p')
	download_to "$tmp" $names || { update_lists && download_to "$tmp" $names; } ||
		die "the libraries of $2 can't be fetched"
	for deb in "$1" "$tmp"/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$tmp/all"
	done
	find "$tmp/all" -path '*/lib/*-linux-gnu/*.so.*' ! -type d \
		-exec mv -t "$tmp/libraries" {} +
	"$tmp/libraries/ld-linux-x86-64.so.2" --inhibit-cache --library-path "$tmp/libraries" \
		--list "$tmp/all/$3" | grep ' => ' >"$tmp/linked"
	! grep -vF " => $tmp/libraries/" "$tmp/linked" >&2 || die "$2: not all libraries came"
	sed 's/.* => \(.*\) (.*/\1/' "$tmp/linked" | xargs cp -L -t "$tmp/tree/lib"
	cp "$tmp/all/$3" "$tmp/tree/bin/"
	ln -s lib "$tmp/tree/lib64"
	chmod 755 "$tmp/tree"
	mv "$tmp/tree" "$tree"
}

# linux_package: name of the package that holds Debian's stock kernel
linux_package() {
	local name
	name=$(apt-cache show --no-all-versions linux-image-amd64 2>/dev/null |
		sed -n 's/^Depends: \(linux-image-[^ ]*\).*/\1/p')
	if [ -z "$name" ]; then
		freshen_lists
		name=$(apt-cache show --no-all-versions linux-image-amd64 |
			sed -n 's/^Depends: \(linux-image-[^ ]*\).*/\1/p')
	fi
	[ -n "$name" ] || die "apt-cache knows no linux-image-amd64 (apt-get update?)"
	echo "$name"
}
