//! `reload`: asks a running gateway, over its admin extension, to read its configuration again.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::Outcome;

/// A new configuration is read, checked and built before the gateway answers.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longer than any list of problems; what stands behind is not read.
const LONGEST: u64 = 1 << 20;

pub(super) fn reload(admin: &str) -> Outcome {
    match ask(admin) {
        Ok(Answer { status: 200..300, body }) => Outcome::done(with_line_end(body)),
        Ok(Answer { status: 404, .. }) => Outcome::in_the_way(format!("error: {admin} answers, but it is no gateway of ours\n")),
        Ok(Answer { body, .. }) => Outcome::wrong(with_line_end(body)),
        Err(error) => Outcome::in_the_way(format!(
            "error: no gateway answers at {admin}: {error}\n    start one, or say with --admin where its admin extension listens\n"
        )),
    }
}

struct Answer {
    status: u16,
    body: String,
}

fn ask(admin: &str) -> io::Result<Answer> {
    let address = admin.to_socket_addrs()?.next().ok_or_else(|| io::Error::other("there is no such address"))?;
    let mut connection = TcpStream::connect_timeout(&address, PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
    write!(connection, "POST /reload HTTP/1.1\r\nHost: {admin}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    connection.take(LONGEST).read_to_end(&mut answer)?;
    parse(&String::from_utf8_lossy(&answer)).ok_or_else(|| io::Error::other("what it answers is not HTTP"))
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
    use super::parse;

    #[test]
    fn answers_are_read_whole_and_in_parts() {
        let whole = parse("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").unwrap();
        assert_eq!((whole.status, whole.body.as_str()), (200, "hello"));
        let parts = parse("HTTP/1.1 422 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n").unwrap();
        assert_eq!((parts.status, parts.body.as_str()), (422, "hello"));
        assert!(parse("SSH-2.0-OpenSSH_9.6\r\n").is_none());
    }
}
