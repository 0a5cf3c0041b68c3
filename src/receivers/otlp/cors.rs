//! What web pages of other origins may do: a browser asks before it sends, and looks at the answer before it shows it.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap,
    HeaderValue, ORIGIN, VARY,
};
use http::{Method, Request, Response, StatusCode};
use tracetailor_net::server::{Incoming, Reply};

use super::keys::Cors as Keys;

/// What may be sent where no list of headers says otherwise.
const USUAL_HEADERS: [&str; 3] = ["accept", "content-type", "x-requested-with"];

/// The rules for pages of other origins.
#[derive(Clone, Debug)]
pub(super) struct Cors {
    origins: Vec<String>,
    /// In lower case; a star is all.
    headers: Vec<String>,
    exposed: Option<HeaderValue>,
    max_age: Option<HeaderValue>,
}

impl Cors {
    /// None where no origin may send.
    pub(super) fn new(keys: &Keys) -> Option<Self> {
        if keys.allowed_origins.is_empty() {
            return None;
        }
        let mut headers: Vec<String> = keys.allowed_headers.iter().map(|name| name.to_ascii_lowercase()).collect();
        if headers.is_empty() {
            headers = USUAL_HEADERS.map(str::to_owned).to_vec();
        }
        // A list of one's own that has left it out cannot be meant: no browser could send a request.
        headers.push("content-type".to_owned());
        let exposed = keys.exposed_headers.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        Some(Self {
            origins: keys.allowed_origins.iter().map(|origin| origin.to_ascii_lowercase()).collect(),
            headers,
            exposed: HeaderValue::from_str(&exposed).ok().filter(|exposed| !exposed.is_empty()),
            max_age: (keys.max_age > 0).then(|| HeaderValue::from(keys.max_age)),
        })
    }

    /// The answer to a browser that asks before it sends; None where it is no such question.
    pub(super) fn preflight(&self, request: &Request<Incoming>) -> Option<Response<Reply>> {
        let method = request.headers().get(ACCESS_CONTROL_REQUEST_METHOD).filter(|_| request.method() == Method::OPTIONS)?;
        let mut response = Response::new(Reply::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.insert(VARY, HeaderValue::from_static("Origin, Access-Control-Request-Method, Access-Control-Request-Headers"));
        let asked = request.headers().get(ACCESS_CONTROL_REQUEST_HEADERS);
        if method == "POST" && asked.is_none_or(|asked| self.allows_headers(asked)) && self.allow(request.headers(), headers) {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
            if let Some(asked) = asked {
                headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
            }
            if let Some(max_age) = &self.max_age {
                headers.insert(ACCESS_CONTROL_MAX_AGE, max_age.clone());
            }
        }
        Some(response)
    }

    /// Says on an answer whether the page that asked may read it.
    pub(super) fn mark(&self, origin: Option<HeaderValue>, response: &mut Response<Reply>) {
        let headers = response.headers_mut();
        headers.append(VARY, HeaderValue::from_static("Origin"));
        let Some(origin) = origin else { return };
        let request = HeaderMap::from_iter([(ORIGIN, origin)]);
        if self.allow(&request, headers)
            && let Some(exposed) = &self.exposed
        {
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed.clone());
        }
    }

    fn allow(&self, request: &HeaderMap, answer: &mut HeaderMap) -> bool {
        let Some(origin) = request.get(ORIGIN) else { return false };
        // A star together with credentials is refused by browsers, and would let every page act as its visitor.
        if self.origins.iter().any(|known| known == "*") {
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            return true;
        }
        let text = origin.to_str().unwrap_or_default().to_ascii_lowercase();
        if !self.origins.iter().any(|known| matches(known, &text)) {
            return false;
        }
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        true
    }

    fn allows_headers(&self, asked: &HeaderValue) -> bool {
        let allows = |name: &str| name.is_empty() || self.headers.iter().any(|known| known == "*" || known == name);
        asked.to_str().is_ok_and(|asked| asked.to_ascii_lowercase().split(',').all(|name| allows(name.trim())))
    }
}

/// Whether a text is of this form, in which each star stands for any text.
fn matches(form: &str, text: &str) -> bool {
    let mut parts = form.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let Some(last) = form.rsplit_once('*').map(|(_, last)| last) else { return rest.is_empty() };
    let Some(middle) = rest.strip_suffix(last) else { return false };
    rest = middle;
    let inner: Vec<&str> = parts.collect();
    inner.iter().take(inner.len().saturating_sub(1)).all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(matches("https://app.example", "https://app.example"));
        assert!(matches("https://*.example", "https://a.b.example"));
        assert!(matches("https://*.a.*.example", "https://x.a.y.example"));
        for other in ["https://app.example.evil", "http://app.example", "https://app.exampl", ""] {
            assert!(!matches("https://app.example", other), "{other}");
        }
        for other in ["https://example", "https://a.example.evil", "http://a.example"] {
            assert!(!matches("https://*.example", other), "{other}");
        }
        assert!(!matches("https://*.a.*.example", "https://x.b.y.example"));
    }
}
