//! Headers that instrumentations have captured. A library that cannot read `traceparent` discards it and begins a new trace; only the captured text still tells
//! what it was and which span the lost parent is.

use tracetailor_core::telemetry::{Attribute, TraceId, ValueRef};

/// What is wrong with a captured `traceparent` or `tracestate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    Several,
    Empty,
    Parts,
    FlagsMissing,
    Version,
    VersionForbidden,
    UpperCase,
    TraceIdLength,
    TraceIdNoHex,
    TraceIdZero,
    ParentIdLength,
    ParentIdNoHex,
    ParentIdZero,
    Flags,
    TooLong,
    EmptyState,
    NotContinued,
}

impl Fault {
    pub(super) fn name(self) -> &'static str {
        match self {
            Fault::Several => "several_headers",
            Fault::Empty => "empty",
            Fault::Parts => "wrong_parts",
            Fault::FlagsMissing => "flags_missing",
            Fault::Version => "version",
            Fault::VersionForbidden => "version_ff",
            Fault::UpperCase => "upper_case",
            Fault::TraceIdLength => "trace_id_length",
            Fault::TraceIdNoHex => "trace_id_not_hex",
            Fault::TraceIdZero => "trace_id_zero",
            Fault::ParentIdLength => "parent_id_length",
            Fault::ParentIdNoHex => "parent_id_not_hex",
            Fault::ParentIdZero => "parent_id_zero",
            Fault::Flags => "flags",
            Fault::TooLong => "too_long",
            Fault::EmptyState => "tracestate_empty",
            Fault::NotContinued => "not_continued",
        }
    }

    pub(super) fn explain(self) -> &'static str {
        match self {
            Fault::Several => "the header came more than once, so libraries discard it",
            Fault::Empty => "the header was empty",
            Fault::Parts => "it is not version-traceid-parentid-flags",
            Fault::FlagsMissing => "it ends behind the parent id: the flags are missing",
            Fault::Version => "its version is not 00; a library should read it all the same, and some do not",
            Fault::VersionForbidden => "version ff is forbidden",
            Fault::UpperCase => "its hex digits are in upper case, and must be in lower case",
            Fault::TraceIdLength => "its trace id has not 32 digits",
            Fault::TraceIdNoHex => "its trace id is not hexadecimal",
            Fault::TraceIdZero => "its trace id is zero",
            Fault::ParentIdLength => "its parent id has not 16 digits",
            Fault::ParentIdNoHex => "its parent id is not hexadecimal",
            Fault::ParentIdZero => "its parent id is zero",
            Fault::Flags => "its flags are not two hex digits",
            Fault::TooLong => "something follows the flags, which version 00 does not allow",
            Fault::EmptyState => "tracestate was sent and empty; strict libraries discard it",
            Fault::NotContinued => "the header was right, and the service began another trace",
        }
    }
}

/// A captured header with something wrong, as far as it can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Captured {
    pub(super) fault: Fault,
    /// What was sent, made fit to be shown.
    pub(super) header: String,
    /// The parent that was lost, where it can be told.
    pub(super) parent: Option<String>,
}

/// What an attribute of a span of that trace tells of a header.
pub(super) fn look(attribute: &Attribute<'_>, trace: TraceId) -> Option<Captured> {
    let name = attribute.key.strip_prefix(b"http.request.header.").or_else(|| attribute.key.strip_prefix(b"rpc.request.metadata."))?;
    match name {
        b"traceparent" => parent(&texts(attribute.value()), trace),
        b"tracestate" => texts(attribute.value()).iter().any(|text| text.trim().is_empty()).then(|| Captured {
            fault: Fault::EmptyState,
            header: String::new(),
            parent: None,
        }),
        _ => None,
    }
}

/// A list as the conventions say, or one text as older instrumentations write it.
fn texts(value: ValueRef<'_>) -> Vec<String> {
    match value {
        ValueRef::List(list) => list.iter().take(4).filter_map(|value| value.text().map(|text| text.into_owned())).collect(),
        value => value.text().map(|text| text.into_owned()).into_iter().collect(),
    }
}

fn parent(headers: &[String], trace: TraceId) -> Option<Captured> {
    let header = match headers {
        [] => return None,
        [header] => header.trim(),
        [first, ..] => return Some(captured(Fault::Several, first)),
    };
    match fault(header) {
        Some(fault) => Some(captured(fault, header)),
        None => {
            let id: String = trace.0.iter().map(|byte| format!("{byte:02x}")).collect();
            (header.split('-').nth(1) != Some(id.as_str())).then(|| captured(Fault::NotContinued, header))
        }
    }
}

/// The first thing that is wrong with it, in the order in which it is read.
fn fault(header: &str) -> Option<Fault> {
    let parts: Vec<&str> = header.split('-').collect();
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let zero = |text: &str| text.bytes().all(|byte| byte == b'0');
    let (version, trace, parent, flags, rest) = match parts[..] {
        [""] => return Some(Fault::Empty),
        [version, trace, parent] => (version, trace, parent, None, false),
        [version, trace, parent, flags, ref rest @ ..] => (version, trace, parent, Some(flags), !rest.is_empty()),
        _ => return Some(Fault::Parts),
    };
    let checks = [
        (version.len() != 2 || !hex(version), Fault::Parts),
        (version.eq_ignore_ascii_case("ff"), Fault::VersionForbidden),
        (trace.len() != 32, Fault::TraceIdLength),
        (!hex(trace), Fault::TraceIdNoHex),
        (zero(trace), Fault::TraceIdZero),
        (parent.len() != 16, Fault::ParentIdLength),
        (!hex(parent), Fault::ParentIdNoHex),
        (zero(parent), Fault::ParentIdZero),
        (flags.is_none(), Fault::FlagsMissing),
        (flags.is_some_and(|flags| flags.len() != 2 || !hex(flags)), Fault::Flags),
        (header.bytes().any(|byte| byte.is_ascii_uppercase()), Fault::UpperCase),
        (version == "00" && rest, Fault::TooLong),
        (version != "00", Fault::Version),
    ];
    checks.into_iter().find_map(|(is_so, fault)| is_so.then_some(fault))
}

fn captured(fault: Fault, header: &str) -> Captured {
    let parent = header.split('-').nth(2).filter(|parent| parent.len() == 16 && parent.bytes().all(|byte| byte.is_ascii_hexdigit()));
    Captured { fault, header: shown(header), parent: parent.map(str::to_ascii_lowercase) }
}

/// Anybody can send anything under this name: what does not belong into the header is not shown.
fn shown(header: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '?' };
    header.chars().take(64).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const PARENT: &str = "00f067aa0ba902b7";

    #[test]
    fn faults_have_names() {
        let zero = "0".repeat(32);
        for (header, wanted) in [
            (format!("00-{TRACE}-{PARENT}-01"), None),
            (format!("01-{TRACE}-{PARENT}-01"), Some(Fault::Version)),
            (format!("01-{TRACE}-{PARENT}-01-more"), Some(Fault::Version)),
            (format!("ff-{TRACE}-{PARENT}-01"), Some(Fault::VersionForbidden)),
            (format!("00-{}-{PARENT}-01", &TRACE[1..]), Some(Fault::TraceIdLength)),
            (format!("00-{}g-{PARENT}-01", &TRACE[1..]), Some(Fault::TraceIdNoHex)),
            (format!("00-{TRACE}-{}z-01", &PARENT[1..]), Some(Fault::ParentIdNoHex)),
            (format!("00-{TRACE}-{}-01", &PARENT[1..]), Some(Fault::ParentIdLength)),
            (format!("00-{zero}-{PARENT}-01"), Some(Fault::TraceIdZero)),
            (format!("00-{TRACE}-0000000000000000-01"), Some(Fault::ParentIdZero)),
            (format!("00-{TRACE}-{PARENT}"), Some(Fault::FlagsMissing)),
            (format!("00-{TRACE}-{PARENT}-1"), Some(Fault::Flags)),
            (format!("00-{}-{PARENT}-01", TRACE.to_uppercase()), Some(Fault::UpperCase)),
            (format!("00-{TRACE}-{PARENT}-01-x"), Some(Fault::TooLong)),
            (String::new(), Some(Fault::Empty)),
            ("nonsense".to_owned(), Some(Fault::Parts)),
            ("error123abc-1-01".to_owned(), Some(Fault::Parts)),
        ] {
            assert_eq!(fault(&header), wanted, "{header}");
        }
    }

    #[test]
    fn the_lost_parent_is_told_and_nothing_else_that_was_sent() {
        let told = captured(Fault::UpperCase, &format!("00-{TRACE}-{}-01", PARENT.to_uppercase()));
        assert_eq!(told.parent.as_deref(), Some(PARENT));
        let told = captured(Fault::Parts, &format!("<script>{}", "x".repeat(100)));
        assert!(told.parent.is_none() && told.header.starts_with("?script?xx") && told.header.len() == 64);
    }

    #[test]
    fn a_right_header_that_was_not_followed_is_a_fault_of_its_own() {
        let header = [format!("00-{TRACE}-{PARENT}-01")];
        let id = |text: &str| TraceId(u128::from_str_radix(text, 16).unwrap().to_be_bytes());
        assert_eq!(parent(&header, id(TRACE)), None);
        let told = parent(&header, TraceId([7; 16])).unwrap();
        assert_eq!((told.fault, told.parent.as_deref()), (Fault::NotContinued, Some(PARENT)));
        assert_eq!(parent(&[header[0].clone(), header[0].clone()], id(TRACE)).map(|told| told.fault), Some(Fault::Several));
    }
}
