# Sourced after scripts/step.sh: the tools that the tests of the chart need, each kept outside the repository, and how they get there.
HELM_VERSION=4.2.4
KUBERNETES_VALIDATE_VERSION=1.37.0
KUBERNETES_VERSION=1.36.3
ENVIRONMENT=${XDG_CACHE_HOME:-$HOME/.cache}/tracetailor/venv
PYTHON=$ENVIRONMENT/bin/python
PATH=$TOOLS/helm-$HELM_VERSION/bin:$PATH:$TOOLS/promtool/bin:$TOOLS/etcd/bin:$TOOLS/kube-apiserver-$KUBERNETES_VERSION/bin
export PYTHONDONTWRITEBYTECODE=1

install_helm() {
    [ -x "$TOOLS/helm-$HELM_VERSION/bin/helm" ] && return
    local build=$TOOLS/go-of-helm
    GOBIN=$TOOLS/helm-$HELM_VERSION/bin GOCACHE=$build/build GOMODCACHE=$build/mod CGO_ENABLED=0 GOFLAGS='-p=2 -modcacherw' \
        nice -n 15 go install -trimpath -ldflags='-s -w' "helm.sh/helm/v4/cmd/helm@v$HELM_VERSION" || return
    rm -rf "$build"
}

# Debian's, taken out of its package: Prometheus itself would be installed and started.
install_promtool() {
    command -v promtool && return
    local folder
    folder=$(mktemp -d)
    (cd "$folder" && apt-get download prometheus && mkdir -p "$TOOLS/promtool" &&
        dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x -C "$TOOLS/promtool" --strip-components=2 ./usr/bin/promtool) || return
    rm -rf "$folder"
}

install_kubernetes_validate() {
    [ -x "$PYTHON" ] || python3 -m venv "$ENVIRONMENT"
    "$PYTHON" -c 'import kubernetes_validate' 2>/dev/null || "$PYTHON" -m pip install --quiet "kubernetes-validate==$KUBERNETES_VALIDATE_VERSION"
}

# For test-install. A wrapper with go.mod of its own, since a module that replaces others cannot be installed by its name; the sums of the
# module itself hold what is downloaded. Without the version a server refuses charts that ask for one.
install_kube_apiserver() {
    local to=$TOOLS/kube-apiserver-$KUBERNETES_VERSION/bin/kube-apiserver build=$TOOLS/go-of-kubernetes
    [ -x "$to" ] && return
    mkdir -p "$build/wrapper" "$(dirname "$to")"
    cp helm/tests/apiserver/go.mod "$build/wrapper/"
    (
        cd "$build/wrapper"
        export GOCACHE=$build/build GOMODCACHE=$build/mod CGO_ENABLED=0 GOFLAGS='-p=2 -modcacherw'
        : >go.sum
        sources=$(go mod download -json "k8s.io/kubernetes@v$KUBERNETES_VERSION" | sed -n 's/.*"Dir": "\(.*\)",/\1/p')
        cp "$sources/go.sum" go.sum
        version=k8s.io/component-base/version
        minor=${KUBERNETES_VERSION#1.}
        nice -n 15 go build -mod=mod -trimpath -o "$to" \
            -ldflags "-s -w -X $version.gitVersion=v$KUBERNETES_VERSION -X $version.gitMajor=1 -X $version.gitMinor=${minor%.*}" \
            k8s.io/kubernetes/cmd/kube-apiserver
    ) || return
    rm -rf "$build"
}

install_etcd() {
    command -v etcd && return
    local folder
    folder=$(mktemp -d)
    (cd "$folder" && apt-get download etcd-server && mkdir -p "$TOOLS/etcd" &&
        dpkg-deb --fsys-tarfile etcd-server_*.deb | tar -x -C "$TOOLS/etcd" --strip-components=2 ./usr/bin/etcd) || return
    rm -rf "$folder"
}

# The definitions of the objects that Prometheus' operator knows, as its module has them.
install_definitions() {
    local to=$TOOLS/prometheus-operator-0.85.0 build=$TOOLS/go-of-operator sources
    [ -d "$to" ] && return
    sources=$(cd "$(dirname "$TOOLS")" && GOMODCACHE=$build GOFLAGS=-modcacherw \
        go mod download -json github.com/prometheus-operator/prometheus-operator@v0.85.0 | sed -n 's/.*"Dir": "\(.*\)",/\1/p') || return
    mkdir -p "$to"
    cp "$sources"/example/prometheus-operator-crd/monitoring.coreos.com_{servicemonitors,podmonitors,prometheusrules}.yaml "$to/" || return
    rm -rf "$build"
}
