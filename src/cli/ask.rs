//! What is asked of running gateways, over their admin extension: `reload`, `why`, `services`, `doctor`.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde_json::{Value, json};

use super::Outcome;

/// A new configuration is read, checked and built before the gateway answers.
const PATIENCE: Duration = Duration::from_secs(30);
/// Who does not take a connection within this time is not there.
const CONNECTS_WITHIN: Duration = Duration::from_secs(5);
/// Longer than any page; what stands behind is not read.
const LONGEST: u64 = 16 << 20;
/// Where the admin extension listens unless it is told otherwise.
const PORT: u16 = 8889;

/// Has one gateway read its configuration again.
pub(super) fn reload(admin: &str) -> Outcome {
    let answer = addresses(admin).and_then(|addresses| {
        let mut refused = io::Error::other("there is no such address");
        for address in addresses {
            match ask(address, "POST", "/reload") {
                Ok(answer) => return Ok(answer),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    });
    match answer {
        Ok(Answer { status: 200..300, body }) => Outcome::done(with_line_end(body)),
        Ok(Answer { status: 404, .. }) => Outcome::in_the_way(not_ours(admin)),
        Ok(Answer { body, .. }) => Outcome::wrong(with_line_end(body)),
        Err(error) => Outcome::in_the_way(nobody(admin, &error)),
    }
}

/// A page that components of a gateway write.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    /// Its address, without a slash in front.
    name: &'static str,
    /// Why a gateway may not have it.
    absent: &'static str,
}

pub(super) const WHY: Page = Page {
    name: "why",
    absent: "no processor of its configuration remembers decisions: put tail_sampling into a pipeline, without why: {records: 0}",
};

pub(super) const SERVICES: Page =
    Page { name: "services", absent: "no processor of its configuration looks at names of services: put service_name into a pipeline" };

pub(super) const DOCTOR: Page = Page { name: "health/traces", absent: "nothing in its configuration looks at the health of traces" };

/// How an answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Json,
}

/// Prints a page of every gateway that a name leads to. `question` is what stands behind the page's name.
pub(super) fn page(page: Page, question: &str, at: &str, form: Form) -> Outcome {
    let query = if form == Form::Json { "?format=json" } else { "" };
    let slash = if question.is_empty() { "" } else { "/" };
    let path = format!("/{}{slash}{}{query}", page.name, percent_encoded(question));
    let addresses = match addresses(at) {
        Ok(addresses) => addresses,
        Err(error) => return Outcome::in_the_way(nobody(at, &error)),
    };
    let asked = addresses.iter().map(|address| (*address, ask(*address, "GET", &path))).collect();
    told(page, at, form, asked)
}

type Asked = Vec<(SocketAddr, io::Result<Answer>)>;

/// What all of them say. One of them that knows is enough; who does not answer is named, unless a local name leads to several addresses.
fn told(page: Page, at: &str, form: Form, asked: Asked) -> Outcome {
    let is_alone = asked.len() == 1 || asked.iter().all(|(address, _)| address.ip().is_loopback());
    let (mut known, mut unknown, mut remarks) = (Vec::new(), Vec::new(), String::new());
    let mut error = None;
    for (address, answer) in asked {
        match answer {
            Ok(Answer { status: 200..300, body }) => known.push((address, body)),
            Ok(Answer { status: 404, body }) if body.starts_with(NO_SUCH_PAGE) => {
                remarks += &format!("the gateway at {address} has no page {}: {}\n", page.name, page.absent);
            }
            Ok(Answer { status: 404, body }) if !body.trim().is_empty() => unknown.push((address, body)),
            Ok(Answer { status: 404, .. }) => remarks += &not_ours(&address.to_string()),
            Ok(Answer { body, .. }) => remarks += &format!("error: the gateway at {address} refuses: {}", with_line_end(body)),
            Err(failed) if is_alone => error = Some(failed),
            Err(failed) => remarks += &nobody(&address.to_string(), &failed),
        }
    }
    match (known.is_empty(), unknown.is_empty(), error) {
        (false, ..) => Outcome::done(joined(known, form)).remarking(remarks),
        (true, false, _) => Outcome::unknown(joined(unknown, form)).remarking(remarks),
        (true, true, Some(error)) if remarks.is_empty() => Outcome::in_the_way(nobody(at, &error)),
        (true, true, _) => Outcome::in_the_way(remarks),
    }
}

/// How the admin extension begins to say that there is no such page.
const NO_SUCH_PAGE: &str = "there is no such page";

/// One answer as it is; several each under the address it came from.
fn joined(mut answers: Vec<(SocketAddr, String)>, form: Form) -> String {
    if answers.len() == 1 {
        return with_line_end(answers.remove(0).1);
    }
    let one = |(address, body): (SocketAddr, String)| match form {
        Form::Text => format!("{address}\n{}\n", with_line_end(body)),
        Form::Json => {
            let answer: Value = serde_json::from_str(&body).unwrap_or(Value::String(body));
            json!({ "at": address.to_string(), "answer": answer }).to_string() + "\n"
        }
    };
    answers.into_iter().map(one).collect()
}

fn nobody(at: &str, error: &io::Error) -> String {
    format!("error: no gateway answers at {at}: {error}\n    start one, or say with --at where its admin extension listens\n")
}

fn not_ours(at: &str) -> String {
    format!("error: {at} answers, but it is no gateway of ours\n")
}

/// Every address of a name; without a port, that of the admin extension.
fn addresses(at: &str) -> io::Result<Vec<SocketAddr>> {
    let host = at.strip_prefix("http://").unwrap_or(at).trim_end_matches('/');
    let named = match host.parse::<std::net::IpAddr>() {
        Ok(address) => vec![SocketAddr::new(address, PORT)],
        Err(_) if host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) => host.to_socket_addrs()?.collect(),
        Err(_) => (host, PORT).to_socket_addrs()?.collect(),
    };
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in named {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() { Err(io::Error::other("there is no such address")) } else { Ok(addresses) }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    body: String,
}

/// The address as a number stands in `Host`: the extension lets numbers in, whatever name led to it.
fn ask(address: SocketAddr, method: &str, path: &str) -> io::Result<Answer> {
    let mut connection = TcpStream::connect_timeout(&address, CONNECTS_WITHIN)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
    write!(connection, "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    connection.take(LONGEST).read_to_end(&mut answer)?;
    parse(&String::from_utf8_lossy(&answer)).ok_or_else(|| io::Error::other("what it answers is not HTTP"))
}

/// Whatever somebody pasted, so that it is one part of an address.
fn percent_encoded(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        other => format!("%{other:02x}"),
    };
    text.bytes().map(one).collect()
}

fn parse(answer: &str) -> Option<Answer> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    let is_chunked = lines.any(|line| line.to_ascii_lowercase().replace(' ', "") == "transfer-encoding:chunked");
    let body = if is_chunked { unchunked(body) } else { body.to_owned() };
    Some(Answer { status, body })
}

/// The body without the lengths between its parts.
fn unchunked(mut rest: &str) -> String {
    let mut body = String::new();
    while let Some((length, after)) = rest.split_once("\r\n") {
        let length = usize::from_str_radix(length.split(';').next().unwrap_or_default().trim(), 16).unwrap_or(0);
        let Some(part) = after.get(..length).filter(|part| !part.is_empty()) else { break };
        body += part;
        rest = after[length..].trim_start_matches("\r\n");
    }
    body
}

fn with_line_end(text: String) -> String {
    if text.is_empty() || text.ends_with('\n') { text } else { text + "\n" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_whole_and_in_parts() {
        let whole = parse("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").unwrap();
        assert_eq!((whole.status, whole.body.as_str()), (200, "hello"));
        let parts = parse("HTTP/1.1 422 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n").unwrap();
        assert_eq!((parts.status, parts.body.as_str()), (422, "hello"));
        assert!(parse("SSH-2.0-OpenSSH_9.6\r\n").is_none());
    }

    #[test]
    fn a_name_is_enough_and_a_question_may_be_anything() {
        for (at, address) in [
            ("127.0.0.1", "127.0.0.1:8889"),
            ("127.0.0.1:9", "127.0.0.1:9"),
            ("http://127.0.0.1:9/", "127.0.0.1:9"),
            ("::1", "[::1]:8889"),
            ("[::1]:9", "[::1]:9"),
        ] {
            assert_eq!(addresses(at).unwrap(), [address.parse().unwrap()], "{at}");
        }
        assert_eq!(percent_encoded("00-4bf9/ %é"), "00-4bf9%2f%20%25%c3%a9");
    }

    fn asked(answers: &[(&str, Option<(u16, &str)>)]) -> Asked {
        let one = |(address, answer): &(&str, Option<(u16, &str)>)| {
            let answer = answer.map(|(status, body)| Answer { status, body: body.to_owned() });
            (address.parse().unwrap(), answer.ok_or_else(|| io::Error::other("refused")))
        };
        answers.iter().map(one).collect()
    }

    #[test]
    fn one_that_knows_is_enough() {
        let (one, other, local) = ("10.0.0.1:8889", "10.0.0.2:8889", "[::1]:8889");
        let absent = "there is no such page; / lists those there are\n";
        for (answers, code, printed, remarked) in [
            (vec![(one, Some((200, "kept\n")))], 0, "kept\n", ""),
            (vec![(one, Some((404, "never seen\n")))], 4, "never seen\n", ""),
            (vec![(one, Some((404, "never seen\n"))), (other, Some((200, "kept\n")))], 0, "kept\n", ""),
            (vec![(one, Some((200, "a"))), (other, Some((200, "b\n")))], 0, "10.0.0.1:8889\na\n\n10.0.0.2:8889\nb\n\n", ""),
            (vec![(one, Some((200, "a\n"))), (other, None)], 0, "a\n", "error: no gateway answers at 10.0.0.2:8889: refused"),
            (vec![(local, None), ("127.0.0.1:8889", Some((200, "a\n")))], 0, "a\n", ""),
            (vec![(one, Some((404, absent)))], 3, "", "the gateway at 10.0.0.1:8889 has no page why: no processor"),
            (vec![(one, Some((403, "no\n")))], 3, "", "refuses: no"),
            (vec![(one, None)], 3, "", "error: no gateway answers at gateways"),
        ] {
            let (stdout, stderr, exit) = told(WHY, "gateways", Form::Text, asked(&answers)).parts();
            assert_eq!((exit, stdout.as_str()), (code, printed), "{answers:?}: {stderr}");
            assert!(stderr.contains(remarked) && stderr.is_empty() == remarked.is_empty(), "{answers:?}: {stderr}");
        }
        let (json, ..) = told(WHY, "gateways", Form::Json, asked(&[(one, Some((200, "[1]"))), (other, Some((200, "[2]")))])).parts();
        let lines: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines, [json!({"at": one, "answer": [1]}), json!({"at": other, "answer": [2]})], "a line each");
    }
}
