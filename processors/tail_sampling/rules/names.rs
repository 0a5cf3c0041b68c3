//! Attributes that were renamed: whoever asks for one under either name means both, because fleets hold SDKs of all ages.

/// Current names, each with those that it had.
const RENAMED: &[(&str, &[&str])] = &[
    ("client.address", &["http.client_ip"]),
    ("code.file.path", &["code.filepath"]),
    ("code.function.name", &["code.function"]),
    ("code.line.number", &["code.lineno"]),
    ("db.collection.name", &["db.sql.table", "db.mongodb.collection", "db.cassandra.table"]),
    ("db.namespace", &["db.name"]),
    ("db.operation.name", &["db.operation"]),
    ("db.query.text", &["db.statement"]),
    ("db.system.name", &["db.system"]),
    ("deployment.environment.name", &["deployment.environment"]),
    ("gen_ai.provider.name", &["gen_ai.system"]),
    ("gen_ai.usage.input_tokens", &["gen_ai.usage.prompt_tokens"]),
    ("gen_ai.usage.output_tokens", &["gen_ai.usage.completion_tokens"]),
    ("http.request.method", &["http.method"]),
    ("http.response.status_code", &["http.status_code"]),
    ("messaging.destination.name", &["messaging.destination"]),
    ("messaging.operation.type", &["messaging.operation"]),
    ("network.peer.address", &["net.sock.peer.addr"]),
    ("network.peer.port", &["net.sock.peer.port"]),
    ("network.protocol.name", &["net.protocol.name"]),
    ("network.protocol.version", &["net.protocol.version", "http.flavor"]),
    ("server.address", &["net.peer.name", "net.host.name"]),
    ("server.port", &["net.peer.port", "net.host.port"]),
    ("service.peer.name", &["peer.service"]),
    ("url.full", &["http.url"]),
    ("url.scheme", &["http.scheme"]),
    ("user.id", &["enduser.id"]),
    ("user_agent.original", &["http.user_agent"]),
];

/// Every name of an attribute, the current one first.
pub(super) fn names_of(name: &str) -> Vec<&str> {
    let known = RENAMED.iter().find(|(current, former)| *current == name || former.contains(&name));
    known.map_or_else(|| vec![name], |(current, former)| std::iter::once(*current).chain(former.iter().copied()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_name_means_both() {
        assert_eq!(names_of("http.method"), ["http.request.method", "http.method"]);
        assert_eq!(names_of("http.request.method"), names_of("http.method"));
        assert_eq!(names_of("app.tier"), ["app.tier"]);
    }

    #[test]
    fn a_name_stands_in_one_place() {
        let mut all: Vec<&str> =
            RENAMED.iter().flat_map(|(current, former)| std::iter::once(*current).chain(former.iter().copied())).collect();
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]), "{all:?}");
        assert!(RENAMED.is_sorted_by_key(|(current, _)| *current));
    }
}
