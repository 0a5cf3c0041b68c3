# Sourced after scripts/step.sh: the back ends and clients, each kept outside the repository, and how they get there. The versions of the back
# ends stand in jaeger/go.mod and tempo/go.mod, those of the clients here.
PYTHON_SDK_VERSION=1.45.2
BACKENDS=${XDG_CACHE_HOME:-$HOME/.cache}/tracetailor/backends
PYTHON_SDK=$BACKENDS/python-sdk-$PYTHON_SDK_VERSION/bin/python
PATH=$BACKENDS/bin:$PATH
export PYTHON_SDK PYTHONDONTWRITEBYTECODE=1

# build NAME MODULE : the command NAME of a module, by the wrapper in the folder of that name. A module that replaces others cannot be installed
# by its name; and the sums that it carries itself hold what is downloaded, as the public database of sums does not know all of them.
build() {
    local name=$1 module=$2 scratch=$BACKENDS/go-of-$1 version sources
    [ -x "$BACKENDS/bin/$name" ] && return
    version=$(sed -n "s|^require $module ||p" "tests/backends/$name/go.mod")
    mkdir -p "$scratch/wrapper" "$BACKENDS/bin"
    cp "tests/backends/$name/go.mod" "$scratch/wrapper/"
    (
        head=$PWD/tests/backends/$name/go.sum.head
        cd "$scratch/wrapper"
        export GOCACHE=$scratch/build GOMODCACHE=$scratch/mod GOTOOLCHAIN=local CGO_ENABLED=0 GOFLAGS='-p=2 -modcacherw -buildvcs=false'
        cp "$head" go.sum
        sources=$(go mod download -json "$module@$version" | sed -n 's/.*"Dir": "\(.*\)",/\1/p')
        [ -n "$sources" ] || exit 1
        cat "$head" "$sources/go.sum" >go.sum
        nice -n 15 go build -mod=mod -trimpath -ldflags '-s -w' -o "$scratch/$name" "$module/cmd/$name"
    ) || return
    # There as a whole or not at all, also when this is interrupted.
    mv "$scratch/$name" "$BACKENDS/bin/$name"
    rm -rf "$scratch"
}

install_jaeger() {
    build jaeger github.com/jaegertracing/jaeger
}

install_tempo() {
    build tempo github.com/grafana/tempo
}

install_python_sdk() {
    [ -x "$PYTHON_SDK" ] && "$PYTHON_SDK" -c 'import opentelemetry.exporter.otlp.proto.grpc, opentelemetry.exporter.otlp.proto.http' 2>/dev/null && return
    python3 -m venv "${PYTHON_SDK%/bin/python}" || return
    "$PYTHON_SDK" -m pip install --quiet --disable-pip-version-check "opentelemetry-sdk==$PYTHON_SDK_VERSION" \
        "opentelemetry-exporter-otlp-proto-grpc==$PYTHON_SDK_VERSION" "opentelemetry-exporter-otlp-proto-http==$PYTHON_SDK_VERSION"
}
