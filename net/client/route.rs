//! Where on the destination a body is posted to, with all that is the same for every request: made once.

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Method, Request, Uri, Version, header};

/// A path on a destination, its authority, and the headers of every request to it.
#[derive(Clone, Debug)]
pub struct Route {
    path: Uri,
    whole: Uri,
    host: HeaderValue,
    headers: HeaderMap,
}

/// A path or an authority that no request can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a path on a host")]
pub struct NoRoute;

impl Route {
    /// Posts to `path` of `authority`, which also is the `Host`.
    pub fn new(scheme: Scheme, authority: &str, path: &str, headers: HeaderMap) -> Result<Self, NoRoute> {
        let authority: Authority = authority.parse().map_err(|_| NoRoute)?;
        let path: PathAndQuery = path.parse().map_err(|_| NoRoute)?;
        let host = HeaderValue::from_str(authority.as_str()).map_err(|_| NoRoute)?;
        let whole = Uri::builder().scheme(scheme).authority(authority).path_and_query(path.clone()).build().map_err(|_| NoRoute)?;
        Ok(Self { path: Uri::from(path), whole, host, headers })
    }

    /// The whole address.
    pub fn uri(&self) -> &Uri {
        &self.whole
    }

    /// The headers of every request.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(super) fn request<B>(&self, form: Form, more: &HeaderMap, body: B) -> Request<B> {
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.headers_mut() = self.headers.clone();
        match form {
            Form::Http2 => {
                *request.version_mut() = Version::HTTP_2;
                *request.uri_mut() = self.whole.clone();
            }
            Form::Origin => {
                *request.uri_mut() = self.path.clone();
                request.headers_mut().insert(header::HOST, self.host.clone());
            }
            Form::Absolute(authorization) => {
                *request.uri_mut() = self.whole.clone();
                request.headers_mut().insert(header::HOST, self.host.clone());
                if let Some(authorization) = authorization {
                    request.headers_mut().insert(header::PROXY_AUTHORIZATION, authorization);
                }
            }
        }
        for (name, value) in more {
            request.headers_mut().insert(name, value.clone());
        }
        request
    }
}

/// How the first line of a request is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// HTTP/2, where everything has a field of its own.
    Http2,
    /// HTTP/1.1 to the server itself: the path, and the host beside it.
    Origin,
    /// HTTP/1.1 to a proxy that is to hand it on: the whole address, and who we are to the proxy.
    Absolute(Option<HeaderValue>),
}
