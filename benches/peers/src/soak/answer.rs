//! What a gateway answers, as an SDK reads it: taken, to be sent again and when, or refused for good.

use std::time::Duration;

use anyhow::Result;
use http::HeaderMap;

use crate::generator::{rejected, unframed};
use crate::wire;

/// Statuses of gRPC after which OTLP has a client send again; 8 is one of them only where it says when.
const RETRYABLE: [&str; 6] = ["1", "4", "10", "11", "14", "15"];
const EXHAUSTED: &str = "8";

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Taken, but for so many spans.
    Taken(u64),
    /// To be sent again, after so long where the gateway says.
    Refused { why: String, after: Option<Duration> },
    /// Not to be sent again.
    Denied(String),
}

/// How gRPC says it.
pub(super) fn of_grpc(headers: &HeaderMap, trailers: &HeaderMap, body: &[u8]) -> Result<Answer> {
    let named = |name: &str| trailers.get(name).or_else(|| headers.get(name)).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (status, message) = (named("grpc-status"), named("grpc-message"));
    if status == "0" {
        return Ok(Answer::Taken(rejected(&unframed(headers, body)?)?));
    }
    let after = retry_delay(&base64(named("grpc-status-details-bin")));
    let why = format!("gRPC {status} {message}");
    let may_come_again = RETRYABLE.contains(&status) || status == EXHAUSTED && after.is_some();
    Ok(if may_come_again { Answer::Refused { why, after } } else { Answer::Denied(why) })
}

/// How HTTP says it.
pub(super) fn of_http(status: u16, headers: &HeaderMap, body: &[u8]) -> Result<Answer> {
    let after = headers.get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok()).map(Duration::from_secs);
    Ok(match status {
        200 => Answer::Taken(rejected(body)?),
        429 | 502 | 503 | 504 => Answer::Refused { why: format!("HTTP {status} {}", readable(body)), after },
        _ => Answer::Denied(format!("HTTP {status} {}", readable(body))),
    })
}

/// The message of a `google.rpc.Status`.
fn readable(body: &[u8]) -> String {
    let message = wire::fields(body, 0..body.len()).flatten().find(|(number, _)| *number == 2).map_or(0..0, |(_, place)| place);
    String::from_utf8_lossy(&body[message]).into_owned()
}

/// How long the `RetryInfo` among the details of a `google.rpc.Status` says to wait.
fn retry_delay(status: &[u8]) -> Option<Duration> {
    let within = |place, number| wire::fields(status, place).flatten().filter(move |(found, _)| *found == number).map(|(_, place)| place);
    let detail = within(0..status.len(), 3).find(|detail| {
        let kind = within(detail.clone(), 1).next();
        kind.is_some_and(|kind| status[kind].ends_with(b"/google.rpc.RetryInfo"))
    })?;
    let delay = within(within(detail, 2).next()?, 1).next()?;
    let number =
        |field| within(delay.clone(), field).next().and_then(|place| wire::varint(&status[place]).ok()).map_or(0, |(value, _)| value);
    Some(Duration::new(number(1), u32::try_from(number(2)).ok()?))
}

/// What the text stands for, up to the first character that does not belong.
fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut out, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for value in text.bytes().map_while(|byte| ALPHABET.iter().position(|known| *known == byte)) {
        (held, bits) = ((held << 6 | value as u32) & 0xffff, bits + 6);
        if bits >= 8 {
            bits -= 8;
            out.push((held >> bits) as u8);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair =
            |(name, value): &(&'static str, &'static str)| (http::HeaderName::from_static(name), http::HeaderValue::from_static(value));
        pairs.iter().map(pair).collect()
    }

    /// `Status{code: 8, message: "slow down", details: [RetryInfo{retry_delay: 5s}]}`, as grpc-go writes it.
    const SLOW_DOWN: &str = "CAgSCXNsb3cgZG93bhowCih0eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5ycGMuUmV0cnlJbmZvEgQKAggF";

    #[test]
    fn exhaustion_is_retried_only_where_it_says_when() {
        let answer = |pairs| of_grpc(&HeaderMap::new(), &headers(pairs), &[]).unwrap();
        let after = Some(Duration::from_secs(5));
        assert!(matches!(answer(&[("grpc-status", "8")]), Answer::Denied(_)));
        let told = answer(&[("grpc-status", "8"), ("grpc-status-details-bin", SLOW_DOWN)]);
        assert_eq!(told, Answer::Refused { why: "gRPC 8 ".to_owned(), after });
        assert!(matches!(answer(&[("grpc-status", "14")]), Answer::Refused { after: None, .. }));
        assert!(matches!(answer(&[("grpc-status", "3")]), Answer::Denied(_)));
        assert_eq!(of_grpc(&headers(&[("grpc-status", "0")]), &HeaderMap::new(), &[0, 0, 0, 0, 4, 10, 2, 8, 3]).unwrap(), Answer::Taken(3));
    }

    #[test]
    fn http_says_when_in_a_header() {
        let after = |pairs| match of_http(503, &headers(pairs), &[18, 4, b'f', b'u', b'l', b'l']).unwrap() {
            Answer::Refused { why, after } if why == "HTTP 503 full" => after,
            other => panic!("{other:?}"),
        };
        assert_eq!((after(&[("retry-after", "2")]), after(&[])), (Some(Duration::from_secs(2)), None));
        assert!(matches!(of_http(400, &HeaderMap::new(), &[]), Ok(Answer::Denied(_))));
    }
}
