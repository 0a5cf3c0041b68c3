//! What a client says of itself: the browsers and programs that most requests come from.
//!
//! The Collector knows some hundreds of families by a list of regular expressions that others keep (uap-core). This is a short table in its spelling, in
//! which a name is found by plain search; what it does not know is `Other`, as there.

use std::borrow::Cow;

use crate::ottl::value::Value;

/// Clients by what stands before their version, with the name they go by; the first that is found counts.
const CLIENTS: [(&str, &str); 33] = [
    ("HeadlessChrome/", "HeadlessChrome"),
    ("Googlebot/", "Googlebot"),
    ("bingbot/", "bingbot"),
    ("facebookexternalhit/", "FacebookBot"),
    ("Slackbot-LinkExpanding ", "Slackbot-LinkExpanding"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Edg/", "Edge"),
    ("EdgA/", "Edge Mobile"),
    ("EdgiOS/", "Edge Mobile"),
    ("Edge/", "Edge"),
    ("OPR/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("CriOS/", "Chrome Mobile iOS"),
    ("FxiOS/", "Firefox iOS"),
    ("curl/", "curl"),
    ("Wget/", "Wget"),
    ("Go-http-client/", "Go-http-client"),
    ("python-requests/", "Python Requests"),
    ("okhttp/", "okhttp"),
    ("Apache-HttpClient/", "Apache-HttpClient"),
    ("PostmanRuntime/", "PostmanRuntime"),
    ("axios/", "axios"),
    ("aws-sdk-go/", "aws-sdk-go"),
    ("aws-sdk-java/", "aws-sdk-java"),
    ("Boto3/", "Boto3"),
    ("aws-cli/", "aws-cli"),
    ("Java/", "Java"),
    ("MSIE ", "IE"),
    ("Trident/7.0; rv:", "IE"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
    ("Dalvik/", "Android"),
];

/// Versions of Windows by the number it gives itself.
const WINDOWS: [(&str, &str); 7] =
    [("10.0", "10"), ("6.3", "8.1"), ("6.2", "8"), ("6.1", "7"), ("6.0", "Vista"), ("5.2", "XP"), ("5.1", "XP")];

/// Name and version of a client and of its system.
pub(super) fn parts<'a>(text: &str) -> Value<'a> {
    let (name, version) = client(text);
    let (system, system_version) = system(text);
    let mut parts: Vec<(Cow<'a, str>, Value<'a>)> = vec![];
    let mut put = |key: &'static str, value: String| parts.push((Cow::Borrowed(key), Value::from(value)));
    put("user_agent.name", name);
    put("user_agent.original", text.to_owned());
    put("user_agent.version", version);
    put("os.name", system.to_owned());
    if !system_version.is_empty() {
        put("os.version", system_version);
    }
    Value::map(parts)
}

fn client(text: &str) -> (String, String) {
    // A program of Apple's network library names itself first.
    if let Some((program, _)) = text.split_once(" CFNetwork/")
        && let Some((name, version)) = program.split_once('/')
    {
        return (name.to_owned(), numbers(version, 3));
    }
    let found = CLIENTS.iter().find_map(|(mark, name)| text.split_once(mark).map(|(_, version)| (*name, version)));
    let Some((name, version)) = found else { return ("Other".to_owned(), String::new()) };
    let is_mobile = text.contains("Mobile");
    let name = match name {
        "Chrome" if text.contains("Android") && is_mobile => "Chrome Mobile",
        "Firefox" if text.contains("Android") => "Firefox Mobile",
        "Safari" if is_mobile => "Mobile Safari",
        "Safari" if !text.contains("Safari/") => return ("Other".to_owned(), String::new()),
        "Opera" if is_mobile => "Opera Mobile",
        "Android" => return ("Android".to_owned(), behind(text, "Android ", '.', 3)),
        name => name,
    };
    // The list that the spelling is of has two numbers for this one.
    (name.to_owned(), numbers(version, if name == "Python Requests" { 2 } else { 3 }))
}

fn system(text: &str) -> (&'static str, String) {
    if let Some((_, number)) = text.split_once("Windows NT ") {
        let known = WINDOWS.iter().find(|(mark, _)| number.starts_with(mark));
        return ("Windows", known.map_or_else(String::new, |(_, version)| (*version).to_owned()));
    }
    if text.contains("iPhone OS ") {
        return ("iOS", behind(text, "iPhone OS ", '_', 3));
    }
    if text.contains("CPU OS ") {
        return ("iOS", behind(text, "CPU OS ", '_', 3));
    }
    if text.contains("Mac OS X") {
        return ("Mac OS X", behind(text, "Mac OS X ", '_', 3));
    }
    if text.contains("Android") {
        return ("Android", behind(text, "Android ", '.', 3));
    }
    if let Some((_, chrome)) = text.split_once("CrOS ") {
        return ("Chrome OS", chrome.split_once(' ').map_or_else(String::new, |(_, version)| numbers(version, 3)));
    }
    for (mark, name) in [("Ubuntu", "Ubuntu"), ("Fedora", "Fedora"), ("Linux", "Linux"), ("linux", "Linux")] {
        if text.contains(mark) {
            return (name, String::new());
        }
    }
    ("Other", String::new())
}

/// The version behind a mark.
fn behind(text: &str, mark: &str, separator: char, most: usize) -> String {
    text.split_once(mark).map_or_else(String::new, |(_, version)| numbers(&version.replace(separator, "."), most))
}

/// The first numbers of a version.
fn numbers(version: &str, most: usize) -> String {
    let end = version.find(|sign: char| !sign.is_ascii_digit() && sign != '.').unwrap_or(version.len());
    version[..end].split('.').filter(|number| !number.is_empty()).take(most).collect::<Vec<_>>().join(".")
}
