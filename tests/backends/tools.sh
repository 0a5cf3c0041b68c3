# Sourced after scripts/step.sh: the back ends and clients, each kept outside the repository, and how they get there. Versions of what Go builds
# stand in jaeger/go.mod, tempo/go.mod and clients/go/go.mod, all others here.
PYTHON_SDK_VERSION=1.45.2
NODE_SDK_VERSION=2.12.0
NODE_EXPORTERS_VERSION=0.223.1
JAVA_SDK_VERSION=1.67.0
TELEMETRYGEN_VERSION=0.161.0
FLASK_VERSION=3.1.3
REQUESTS_VERSION=2.34.2
LLM_TRACEKIT_VERSION=2.9.0
LLM_TRACEKIT_OPENAI_VERSION=1.3.3
OPENAI_VERSION=1.109.1
WRAPT_VERSION=1.17.3
BACKENDS=${XDG_CACHE_HOME:-$HOME/.cache}/tracetailor/backends
PYTHON_SDK=$BACKENDS/python-sdk-$PYTHON_SDK_VERSION/bin/python
NODE_SDK=$BACKENDS/node-sdk-$NODE_SDK_VERSION
JAVA_SDK=$BACKENDS/java-sdk-$JAVA_SDK_VERSION
FLASK=$BACKENDS/flask-$FLASK_VERSION/bin/python
LLM_TRACEKIT=$BACKENDS/llm-tracekit-$LLM_TRACEKIT_VERSION/bin/python
PATH=$BACKENDS/bin:$PATH
export PYTHON_SDK NODE_SDK JAVA_SDK FLASK LLM_TRACEKIT PYTHONDONTWRITEBYTECODE=1

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

# packages PYTHON CHECK PACKAGE... : an environment of its own with these packages, where it does not have what is imported as CHECK yet.
packages() {
    local python=$1 check=$2
    shift 2
    [ -x "$python" ] && "$python" -c "import $check" 2>/dev/null && return
    python3 -m venv "${python%/bin/python}" && "$python" -m pip install --quiet --disable-pip-version-check "$@"
}

install_python_sdk() {
    packages "$PYTHON_SDK" 'opentelemetry.exporter.otlp.proto.grpc, opentelemetry.exporter.otlp.proto.http' "opentelemetry-sdk==$PYTHON_SDK_VERSION" \
        "opentelemetry-exporter-otlp-proto-grpc==$PYTHON_SDK_VERSION" "opentelemetry-exporter-otlp-proto-http==$PYTHON_SDK_VERSION"
}

# Runs no scripts of packages.
install_node_sdk() {
    [ -d "$NODE_SDK" ] && return
    local exporter=@opentelemetry/exporter-trace-otlp
    mkdir -p "$NODE_SDK.new"
    npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$NODE_SDK.new" "@opentelemetry/sdk-trace-node@$NODE_SDK_VERSION" \
        "$exporter-grpc@$NODE_EXPORTERS_VERSION" "$exporter-proto@$NODE_EXPORTERS_VERSION" "$exporter-http@$NODE_EXPORTERS_VERSION" || return
    mv "$NODE_SDK.new" "$NODE_SDK"
}

# The jars alone: the sender is a file that Java runs as it is. What Maven needs for itself is not kept.
install_java_sdk() {
    [ -d "$JAVA_SDK" ] && return
    local scratch=$BACKENDS/maven
    mkdir -p "$scratch"
    nice -n 15 mvn --quiet --batch-mode -Dstyle.color=never "-Dmaven.repo.local=$scratch/repository" -Dsdk.version="$JAVA_SDK_VERSION" \
        -f tests/backends/clients/java/pom.xml dependency:copy-dependencies "-DoutputDirectory=$scratch/jars" || return
    mv "$scratch/jars" "$JAVA_SDK"
    rm -rf "$scratch"
}

install_telemetrygen() {
    local scratch=$BACKENDS/go-of-telemetrygen
    [ -x "$BACKENDS/bin/telemetrygen" ] && return
    GOBIN=$scratch/bin GOCACHE=$scratch/build GOMODCACHE=$scratch/mod GOTOOLCHAIN=local CGO_ENABLED=0 GOFLAGS='-p=2 -modcacherw' nice -n 15 \
        go install -trimpath -ldflags '-s -w' "github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen@v$TELEMETRYGEN_VERSION" || return
    mkdir -p "$BACKENDS/bin"
    mv "$scratch/bin/telemetrygen" "$BACKENDS/bin/"
    rm -rf "$scratch"
}

install_flask() {
    packages "$FLASK" 'flask, requests, opentelemetry.exporter.otlp.proto.http' "flask==$FLASK_VERSION" "requests==$REQUESTS_VERSION" \
        "opentelemetry-sdk==$PYTHON_SDK_VERSION" "opentelemetry-exporter-otlp-proto-http==$PYTHON_SDK_VERSION"
}

# Newer ones of what llm-tracekit-openai wraps, and wraps it with, it does not work with.
install_llm_tracekit() {
    packages "$LLM_TRACEKIT" 'grpc, llm_tracekit.openai' "llm-tracekit==$LLM_TRACEKIT_VERSION" "llm-tracekit-openai==$LLM_TRACEKIT_OPENAI_VERSION" \
        "openai==$OPENAI_VERSION" "wrapt==$WRAPT_VERSION"
}

install_go_sdk() {
    local scratch=$BACKENDS/go-of-sender
    [ -x "$BACKENDS/bin/go-sdk-sender" ] && return
    mkdir -p "$BACKENDS/bin"
    (
        cd tests/backends/clients/go
        export GOCACHE=$scratch/build GOMODCACHE=$scratch/mod GOTOOLCHAIN=local CGO_ENABLED=0 GOFLAGS='-p=2 -modcacherw -buildvcs=false'
        nice -n 15 go build -mod=readonly -trimpath -ldflags '-s -w' -o "$BACKENDS/bin/go-sdk-sender" .
    ) || return
    rm -rf "$scratch"
}
