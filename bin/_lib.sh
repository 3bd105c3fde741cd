# shellcheck shell=bash
# What bin/serve, bin/test, bin/lint and .ci/run share: the virtual environment and the machine's packages.
# Sourced, never run. Works with bash 3.2 and paths with spaces.

: "${root:?the script that sources this sets it to the root of the repository}"
script=${0##*/}

say() { printf '%s: %s\n' "$script" "$*" >&2; }
die() {
  say "$@"
  exit 2
}
have() { command -v "$1" >/dev/null 2>&1; }

# --- the machine's packages ---------------------------------------------------------------------

apt_works() { have apt-get && { [ "$(id -u)" = 0 ] || { have sudo && sudo -n true 2>/dev/null; }; }; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

# apt_install PACKAGE...: true when they are installed. The package lists are fetched once a run.
apt_install() {
  apt_works || return 1
  say "installing $* by apt-get"
  if [ -z "${apt_lists_fresh:-}" ]; then
    as_root apt-get -o DPkg::Lock::Timeout=300 -qq update >/dev/null || say "apt-get update failed; trying with the lists at hand"
    apt_lists_fresh=1
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq install -y \
    --no-install-recommends "$@" </dev/null >/dev/null
}

find_node() { have node && node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)'; }

# --- programs that tests and faults start --------------------------------------------------------

find_chromium() {
  local name
  for name in "${CHROMIUM:-}" chromium-headless-shell chromium chromium-browser google-chrome-stable google-chrome; do
    # Asked, since Ubuntu's chromium-browser may be a placeholder for a snap.
    if [ -n "$name" ] && "$name" --version >/dev/null 2>&1; then
      CHROMIUM=$(command -v "$name")
      export CHROMIUM
      return
    fi
  done
  return 1
}

# Debian keeps PostgreSQL's server programs off the PATH.
find_postgresql() {
  local folder
  for folder in /usr/lib/postgresql/*/bin; do
    [ ! -x "$folder/initdb" ] || PATH=$PATH:$folder
  done
  have initdb && have postgres
}

find_redis() { have redis-server; }

# Debian keeps nginx off the PATH of who is not root.
find_nginx() { have nginx || [ -x /usr/sbin/nginx ]; }
find_caddy() { have caddy; }
find_openssl() { have openssl; }
find_sqlite3() { have sqlite3; }
find_systemd() { have systemd-analyze; }
find_faketime() { have faketime; }

# need WHAT PACKAGES LOSS: finds a program, or installs the first of the packages that has it, or tells the
# caller's `not_run` what does not run for want of it.
need() {
  local package
  "find_$1" && return
  for package in $2; do
    # What counts is whether the program is there afterwards: apt-get also fails for other packages' faults.
    apt_install "$package"
    "find_$1" && return
  done
  not_run "$3: no $1, and it could not be installed (Debian's package: ${2// /, or })"
  return 1
}

# --- the virtual environment --------------------------------------------------------------------

is_recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }
has_venv() { "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; }
version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }

# The path of a Python of at least 3.11, by preference one that can make virtual environments; else exit 2.
find_python() {
  local name found=
  for name in python3.11 python3.12 python3.13 python3; do
    # Asked, not looked up: a name on PATH may be a shim for a version that is not there.
    is_recent "$name" || continue
    name=$("$name" -c 'import sys; print(sys.executable)')
    if have uv || has_venv "$name"; then
      printf '%s\n' "$name"
      return
    fi
    found=${found:-$name}
  done
  [ -n "$found" ] || die "no Python 3.11 or later on PATH (looked for python3.11, python3.12, python3.13, python3)"
  add_venv_module "$found"
  printf '%s\n' "$found"
}

# Debian leaves venv and ensurepip out of its Python: they are a package of their own.
add_venv_module() {
  local package
  package=python$(version_of "$1")-venv
  case $1 in
    /usr/bin/*) apt_install "$package" && has_venv "$1" && return ;;
    *) die "$1 lacks the modules venv and ensurepip: install a complete Python 3.11 or later, or uv" ;;
  esac
  die "$1 comes without venv. Install it with: sudo apt-get install $package"
}

# True for a virtual environment whose Python runs and is recent enough.
is_venv() {
  "$1/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11) or sys.prefix == sys.base_prefix)' >/dev/null 2>&1
}

lock_file() { if [ "$1" = dev ]; then printf '%s\n' "$root/requirements-dev.lock"; else printf '%s\n' "$root/requirements.lock"; fi; }

# What an installation was made from. The root is in it since scripts in a virtual environment name their Python by its full path.
fingerprint() {
  cat -- "$(lock_file "$1")" "$root/pyproject.toml" | cksum
  printf '%s\n' "$root"
}

# is_complete VENV KIND: nothing to install, and nobody in the middle of it.
is_complete() {
  [ ! -e "$1/.unfinished" ] && [ -x "$1/bin/python" ] && [ -x "$1/bin/tertulia" ] &&
    [ "$(cat -- "$1/.installed-$2" 2>/dev/null)" = "$(fingerprint "$2")" ]
}

# ensure_venv VENV KIND [PYTHON]: VENV holds the pinned requirements (KIND: runtime or dev) and the project itself, editable.
ensure_venv() {
  is_complete "$1" "$2" && return
  (
    # A second start waits here for the first one, and then finds all done.
    if have flock && ! flock -n 9; then
      say "another start is installing into ${1##*/}; waiting for it"
      flock 9
    fi
    is_complete "$1" "$2" || fill_venv "$@"
  ) 9>"$1.lock"
}

fill_venv() {
  local venv=$1 kind=$2 python=${3:-} status=0
  # Left by an installation that was killed: any package in there may be half written.
  if [ -e "$venv/.unfinished" ] || ! is_venv "$venv"; then
    [ -n "$python" ] || python=$(find_python) || exit
    say "making ${venv##*/} with Python $(version_of "$python") (a minute, the first time only)"
    rm -rf -- "$venv"
    make_venv "$venv" "$python" || die "could not make $venv"
  else
    say "bringing ${venv##*/} up to date"
  fi
  : >"$venv/.unfinished" && rm -f -- "$venv/.installed-$kind"
  install_into "$venv" "$kind" || status=$?
  # A failure that the installer itself reports leaves no half-written package.
  rm -f -- "$venv/.unfinished"
  [ "$status" = 0 ] || die "could not install $(lock_file "$kind") into $venv (the reason stands above)"
  # By hand and on all processors: a caller's PYTHONDONTWRITEBYTECODE would else make every start slow.
  "$venv/bin/python" -m compileall -qq -j 0 "$venv/lib" "$root/src" >/dev/null 2>&1
  fingerprint "$kind" >"$venv/.installed-$kind"
  # The dev lock holds every runtime requirement in the same version.
  [ "$kind" != dev ] || fingerprint runtime >"$venv/.installed-runtime"
}

make_venv() {
  mkdir -p -- "$1" && : >"$1/.unfinished" || return
  # The mark comes first, so that a kill at any moment leaves it behind.
  if have uv; then
    uv venv -q --allow-existing --python "$2" "$1"
  else
    "$2" -m venv "$1"
  fi
}

# The lock is complete: nothing need be resolved, and the build backend for the project itself is in it.
install_into() {
  local venv=$1 lock
  lock=$(lock_file "$2")
  if have uv; then
    uv pip install -q --python "$venv/bin/python" --no-deps --require-hashes -r "$lock" &&
      uv pip install -q --python "$venv/bin/python" --no-deps --no-build-isolation -e "$root"
    return
  fi
  if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    # Made by uv, which needs no pip in there.
    has_venv "$venv/bin/python" || add_venv_module "$("$venv/bin/python" -c 'import sys; print(sys._base_executable)')"
    "$venv/bin/python" -m ensurepip >/dev/null || return
  fi
  pip_install "$venv" --require-hashes -r "$lock" && pip_install "$venv" --no-build-isolation -e "$root"
}

# pip_install VENV ARGUMENTS. A PIP_USER of the caller's would send the packages elsewhere.
pip_install() {
  PIP_USER=0 "$1/bin/python" -m pip install -qq --no-input --disable-pip-version-check --no-deps --no-compile "${@:2}"
}
