//! Every key type: what it reads, how it shows it again, and the exact words with which it refuses.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::config::{ConfigErrors, parse};

/// What is said of a value that a type does not take: the message without its place.
fn refusal<T: serde::de::DeserializeOwned>(yaml: &str) -> String {
    match parse::<T>(yaml, "f", "key") {
        Ok(_) => panic!("{yaml} was taken"),
        Err(errors) => errors.to_string().trim_end().strip_prefix("f:1:1: error: key: ").expect("one error at the key").to_owned(),
    }
}

fn read<T: serde::de::DeserializeOwned>(yaml: &str) -> T {
    parse(yaml, "f", "key").unwrap_or_else(|errors| panic!("{yaml}: {errors}"))
}

#[test]
fn periods_are_read_as_go_reads_them_and_shown_shortest() {
    for (yaml, nanos, shown) in [
        ("0", 0, "0s"),
        ("0s", 0, "0s"),
        ("10s", 10_000_000_000, "10s"),
        ("1m30s", 90_000_000_000, "1m30s"),
        ("90s", 90_000_000_000, "1m30s"),
        ("1.5h", 5_400_000_000_000, "1h30m"),
        ("100ms", 100_000_000, "100ms"),
        ("1.5ms", 1_500_000, "1.5ms"),
        (".5s", 500_000_000, "500ms"),
        ("2.s", 2_000_000_000, "2s"),
        ("+3s", 3_000_000_000, "3s"),
        ("1h0.25s", 3_600_250_000_000, "1h0.25s"),
        ("7us", 7_000, "7us"),
        ("7µs", 7_000, "7us"),
        ("7μs", 7_000, "7us"),
        ("1ns", 1, "1ns"),
        ("0.9ns", 0, "0s"),
        ("'30s'", 30_000_000_000, "30s"),
    ] {
        let period: Period = read(yaml);
        assert_eq!(period.get(), Duration::from_nanos(nanos), "{yaml}");
        assert_eq!(period.to_string(), shown, "{yaml}");
    }
    assert_eq!(Period::seconds(90), read("1m30s"));
    assert_eq!(Period::millis(200), read("200ms"));
    assert_eq!(parse_duration("-1m").expect("a sign is allowed here"), -60_000_000_000);
}

#[test]
fn periods_that_are_none_are_refused() {
    for (yaml, message) in [
        ("10", "10 has no unit; the Collector would take it for nanoseconds\n    write 10s for seconds, 10ms for thousandths"),
        ("1.5", "1.5 has no unit; the Collector would take it for nanoseconds\n    write 1.5s for seconds, 1.5ms for thousandths"),
        ("5000000000", "5000000000 has no unit; the Collector would take it for nanoseconds\n    write 5s"),
        ("1m30", "1m30 has no unit; the Collector would take it for nanoseconds\n    write 1m30s for seconds, 1m30ms for thousandths"),
        ("-1s", "\"-1s\" is negative\n    write a duration from 0 on, such as 10s"),
        ("2d", "\"2d\" has no unit that is known: \"d\"\n    write 48h"),
        ("1w", "\"1w\" has no unit that is known: \"w\"\n    write 168h"),
        ("10 s", "\"10 s\" has no unit that is known: \" s\"\n    write 10s"),
        ("10sec", "\"10sec\" has no unit that is known: \"sec\"\n    write 10s"),
        ("10x", "\"10x\" has no unit that is known: \"x\"\n    units are ns, us, ms, s, m, h: 10s, 1m30s, 100ms"),
        ("''", "\"\" is no duration\n    write a number with a unit: 10s, 1m30s, 100ms"),
        ("soon", "\"soon\" is no duration\n    write a number with a unit: 10s, 1m30s, 100ms"),
        ("1..5s", "\"1..5s\" is no duration\n    write a number with a unit: 10s, 1m30s, 100ms"),
        (".s", "\".s\" is no duration\n    write a number with a unit: 10s, 1m30s, 100ms"),
        ("3000000h", "\"3000000h\" is longer than 292 years\n    write a shorter duration, at most 2562047h"),
        ("true", "is true, not a duration such as 10s\n    write a duration such as 10s"),
        ("[10s]", "is a list, not a duration such as 10s\n    write a duration such as 10s"),
        ("~", "has no value\n    write a duration such as 10s, or remove the key to have its default"),
    ] {
        assert_eq!(refusal::<Period>(yaml), message, "{yaml}");
    }
}

#[test]
fn sizes_count_by_1024_or_by_1000_as_their_unit_says() {
    for (yaml, bytes, shown) in [
        ("0", 0, "0"),
        ("512", 512, "512"),
        ("512B", 512, "512"),
        ("1024", 1 << 10, "1KiB"),
        ("64MiB", 64 << 20, "64MiB"),
        ("64 mib", 64 << 20, "64MiB"),
        ("64Mi", 64 << 20, "64MiB"),
        ("1.5GiB", 3 << 29, "1536MiB"),
        ("2TiB", 2 << 40, "2TiB"),
        ("4MB", 4_000_000, "4MB"),
        ("4kB", 4_000, "4kB"),
        ("1e+06", 1_000_000, "1MB"),
        ("18446744073709551615", u64::MAX, "18446744073709551615"),
    ] {
        let size: ByteSize = read(yaml);
        assert_eq!((size.get(), size.to_string().as_str()), (bytes, shown), "{yaml}");
    }
}

#[test]
fn sizes_that_are_none_are_refused() {
    for (yaml, message) in [
        ("64M", "\"64M\" has no unit that is known: \"M\"\n    write 64MiB to count by 1024, or 64MB by 1000"),
        ("64k", "\"64k\" has no unit that is known: \"k\"\n    write 64KiB to count by 1024, or 64kB by 1000"),
        ("64MiBi", "\"64MiBi\" has no unit that is known: \"MiBi\"\n    write 64MiB"),
        ("64 apples", "\"64 apples\" has no unit that is known: \"apples\"\n    units are B, KiB, MiB, GiB, TiB, kB, MB, GB, TB"),
        ("-1MiB", "\"-1MiB\" is negative\n    write a number of bytes with or without a unit: 64MiB, 4MB, 512"),
        ("much", "\"much\" is no size\n    write a number of bytes with or without a unit: 64MiB, 4MB, 512"),
        ("none", "\"none\" is no size\n    remove the key to have its default"),
        ("''", "\"\" is no size\n    write a number of bytes with or without a unit: 64MiB, 4MB, 512"),
        ("0.5", "\"0.5\" is not a whole number of bytes\n    write fewer digits, or a smaller size"),
        ("99999999TiB", "\"99999999TiB\" is not a whole number of bytes\n    write fewer digits, or a smaller size"),
        ("false", "is false, not a size such as 64MiB\n    write a size such as 64MiB"),
    ] {
        assert_eq!(refusal::<ByteSize>(yaml), message, "{yaml}");
    }
}

#[test]
fn percentages_are_exact() {
    for (yaml, of_million, shown) in [
        ("10%", 100_000, "10%"),
        ("10", 100_000, "10%"),
        ("10.0", 100_000, "10%"),
        ("0.5%", 5_000, "0.5%"),
        ("0.1", 1_000, "0.1%"),
        ("12.5 %", 125_000, "12.5%"),
        ("100%", 1_000_000, "100%"),
        (".25", 2_500, "0.25%"),
        ("0", 0, "0%"),
        ("0.0000000001%", 0, "0.0000000001%"),
        ("1e-3", 10, "0.001%"),
    ] {
        let share: Percent = read(yaml);
        assert_eq!((share.of(1_000_000), share.to_string().as_str()), (of_million, shown), "{yaml}");
    }
    assert_eq!(Percent::ALL.of(u64::MAX), u64::MAX);
    assert_eq!(Percent::whole(50).of(u64::MAX), u64::MAX / 2);
    assert_eq!(Percent::whole(25).ratio(), 0.25);
    assert!(Percent::ZERO.is_zero() && !read::<Percent>("0.0000000001").is_zero());
    assert!(read::<Percent>("100").is_all());
}

#[test]
fn percentages_that_are_none_are_refused() {
    for (yaml, message) in [
        ("101", "\"101\" is more than all\n    write a percentage from 0 to 100"),
        ("100.1%", "\"100.1%\" is more than all\n    write a percentage from 0 to 100"),
        ("-5", "\"-5\" is negative\n    write a percentage from 0 to 100"),
        ("-5%", "\"-5%\" is negative\n    write a percentage from 0 to 100"),
        ("ten", "\"ten\" is no percentage\n    write 10%, 10 or 0.5%"),
        ("1/10", "\"1/10\" is no percentage\n    write 10%, 10 or 0.5%"),
        ("'%'", "\"%\" is no percentage\n    write 10%, 10 or 0.5%"),
        ("0.00000000001%", "\"0.00000000001%\" is finer than can be told apart\n    write at most 10 digits behind the point"),
        (".inf", "\"inf\" is no percentage\n    write 10%, 10 or 0.5%"),
    ] {
        assert_eq!(refusal::<Percent>(yaml), message, "{yaml}");
    }
}

#[test]
fn endpoints_are_taken_apart() {
    let tcp = |host: &str, port| Address::Tcp { host: host.to_owned(), port };
    for (yaml, scheme, address, path) in [
        ("0.0.0.0:4317", None, tcp("0.0.0.0", 4317), ""),
        ("localhost:4317", None, tcp("localhost", 4317), ""),
        (":4317", None, tcp("", 4317), ""),
        ("'[::1]:4317'", None, tcp("::1", 4317), ""),
        ("'[fe80::1%eth0]:4317'", None, tcp("fe80::1%eth0", 4317), ""),
        ("localhost:0", None, tcp("localhost", 0), ""),
        ("http://tempo:4318", Some(Scheme::Http), tcp("tempo", 4318), ""),
        ("HTTPS://tempo", Some(Scheme::Https), tcp("tempo", 443), ""),
        ("https://tempo/v1/traces?x=1", Some(Scheme::Https), tcp("tempo", 443), "/v1/traces?x=1"),
        ("http://[::1]/otlp", Some(Scheme::Http), tcp("::1", 80), "/otlp"),
        ("dns:///tempo:4317", Some(Scheme::Dns), tcp("tempo", 4317), ""),
        ("passthrough:///tempo:4317", Some(Scheme::Passthrough), tcp("tempo", 4317), ""),
        ("unix:/run/t.sock", None, Address::Unix { path: "/run/t.sock".to_owned() }, ""),
        ("unix:///run/t.sock", None, Address::Unix { path: "/run/t.sock".to_owned() }, ""),
        ("unix:t.sock", None, Address::Unix { path: "t.sock".to_owned() }, ""),
    ] {
        let endpoint: Endpoint = read(yaml);
        assert_eq!((endpoint.scheme, &endpoint.address, endpoint.path.as_str()), (scheme, &address, path), "{yaml}");
        assert_eq!(endpoint.to_string(), yaml.trim_matches('\''));
    }
    assert_eq!(tcp("::1", 4317).to_string(), "[::1]:4317");
}

#[test]
fn endpoints_that_are_none_are_refused() {
    for (yaml, message) in [
        ("localhost", "\"localhost\" has no port\n    write one: localhost:4317"),
        ("'[::1]'", "\"[::1]\" has no port\n    write one: [::1]:4317"),
        ("''", "is empty, not an address\n    write one such as localhost:4317"),
        ("'localhost:'", "\"localhost:\" has a port that is none: \"\"\n    write a number up to 65535: localhost:4317"),
        ("localhost:grpc", "\"localhost:grpc\" has a port that is none: \"grpc\"\n    write a number up to 65535: localhost:4317"),
        ("localhost:70000", "\"localhost:70000\" has a port that is none: \"70000\"\n    write a number up to 65535: localhost:4317"),
        ("tempo:4317/", "\"tempo:4317/\" has a port that is none: \"4317/\"\n    write a number up to 65535: tempo:4317"),
        ("tempo:+4317", "\"tempo:+4317\" has a port that is none: \"+4317\"\n    write a number up to 65535: tempo:4317"),
        ("'::1'", "\"::1\" has more than one colon\n    put an IPv6 address in brackets: [::1]:4317"),
        (
            "'fe80::1:2:3:4:5:4317'",
            "\"fe80::1:2:3:4:5:4317\" has more than one colon\n    put an IPv6 address in brackets: [fe80::1:2:3:4:5]:4317",
        ),
        ("'[tempo]:4317'", "\"[tempo]:4317\" has no IPv6 address in its brackets\n    write one such as [::1]:4317"),
        ("http://:4318", "\"http://:4318\" names no host\n    write one such as http://localhost:4318"),
        (
            "tcp://tempo:4317",
            "\"tcp://tempo:4317\" has a scheme that is not spoken here: \"tcp\"\n    write http://tempo:4317, https://tempo:4317 or tempo:4317",
        ),
        ("http://u:secret@tempo", "has a user or a password in the address\n    give them as a header or with an auth extension"),
        ("'tempo :4317'", "\"tempo :4317\" has ' ' in it\n    write the address without blanks or line ends"),
        ("'unix:'", "\"unix:\" names no socket\n    write the path of one: unix:/run/tracetailor.sock"),
        ("4317", "\"4317\" has no port\n    write one: localhost:4317"),
    ] {
        assert_eq!(refusal::<Endpoint>(yaml), message, "{yaml}");
    }
}

#[test]
fn a_listener_has_neither_scheme_nor_path() {
    let endpoint: Endpoint = read("http://0.0.0.0:4318/v1");
    let error = endpoint.listens().expect_err("a listener has no scheme");
    assert_eq!(error.to_string(), "\"http://0.0.0.0:4318/v1\" is an address to send to, not one to listen on; write 0.0.0.0:4318");
    assert_eq!(read::<Endpoint>("0.0.0.0:4318").listens(), Ok(()));
    for (yaml, local) in
        [("localhost:1", true), ("127.0.0.2:1", true), ("'[::1]:1'", true), ("unix:x", true), ("0.0.0.0:1", false), (":1", false)]
    {
        assert_eq!(read::<Endpoint>(yaml).is_local(), local, "{yaml}");
    }
}

#[test]
fn globs_match_whole_texts_whatever_the_case() {
    for (pattern, text, fits) in [
        ("", "", true),
        ("", "a", false),
        ("*", "", true),
        ("*", "anything", true),
        ("/health", "/health", true),
        ("/health", "/healthz", false),
        ("/health*", "/HEALTHZ", true),
        ("*password*", "db.PassWord.old", true),
        ("*password*", "passwor", false),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("a?c", "aüc", true),
        ("a**c", "abbbc", true),
        ("*aab", "aaaaaab", true),
        ("*a*b*c", "xxaxxbxxc", true),
        ("*a*b*c", "xxaxxcxxb", false),
        ("Ä*", "äpfel", true),
        ("shop-*", "workshop-1", false),
    ] {
        assert_eq!(Glob::new(pattern).matches(text), fits, "{pattern} on {text}");
    }
    assert!(Glob::new("**").is_everything());
    assert_eq!(read::<Glob>("404").as_str(), "404");
}

#[test]
fn a_secret_shows_nowhere() {
    let secret: Secret = read("hunter2");
    assert_eq!(format!("{secret:?} {secret:#?}"), "[redacted] [redacted]");
    assert_eq!(format!("{:?}", Secret::default()), "[none]");
    for (presented, right) in [("hunter2", true), ("hunter3", false), ("hunter", false), ("hunter22", false), ("", false)] {
        assert_eq!(secret.is(presented), right, "{presented}");
    }
    assert_eq!(secret.expose(), "hunter2");
    assert_eq!(read::<Secret>("0123").expose(), "0123", "a number is the text that was typed");
    assert!(read::<Secret>("\"token\\n\"").has_line_break() && !secret.has_line_break());
    assert_eq!(refusal::<Secret>("[hunter2]"), "is a list, not text\n    write text");
}

#[test]
fn one_stands_for_a_list_of_one() {
    for (yaml, list) in [
        ("a", vec!["a"]),
        ("a,b", vec!["a,b"]),
        ("[a, b]", vec!["a", "b"]),
        ("[]", vec![]),
        ("0123", vec!["0123"]),
        ("[1.10, true]", vec!["1.10", "true"]),
    ] {
        assert_eq!(read::<OneOrMany<String>>(yaml).as_slice(), list, "{yaml}");
        let buffered: OneOrMany<String> = serde_json::from_value(serde_json::json!(list)).expect("JSON reads as well");
        assert_eq!(buffered.as_slice(), list);
    }
    assert_eq!(read::<OneOrMany<Percent>>("10%").as_slice(), [Percent::whole(10)]);
    let alone: OneOrMany<String> = serde_json::from_str("\"a\"").expect("JSON reads as well");
    assert_eq!(alone.as_slice(), ["a"]);
    let errors = parse::<OneOrMany<u8>>("[1, x, 300]", "f", "key").expect_err("two are wrong");
    assert_eq!(
        errors.to_string(),
        "f:1:5: error: key[1]: is the text \"x\", not a whole number\n    write a whole number such as 100\n\
         f:1:8: error: key[2]: is the number 300, not a number that fits\n    write a whole number from 0 to 255\n"
    );
}

#[test]
fn comma_lists_split_as_the_collector_splits() {
    for (yaml, list) in [("'a, b'", vec!["a", " b"]), ("a", vec!["a"]), ("[a, 'b,c']", vec!["a", "b,c"]), ("''", vec![])] {
        assert_eq!(&*read::<CommaList>(yaml), list, "{yaml}");
    }
    assert_eq!(refusal::<CommaList>("{}"), "is a block of keys, not a list of texts: [a, b]\n    write a list of texts: [a, b]");
}

#[test]
fn a_switch_is_off_on_or_a_block() {
    use crate::config::Auth;
    for (yaml, on) in [("false", None), ("true", Some("")), ("~", Some("")), ("{}", Some("")), ("{authenticator: x}", Some("x"))] {
        let switch: Switch<Auth> = read(yaml);
        assert_eq!(switch.on().map(|auth| auth.authenticator.as_str()), on, "{yaml}");
    }
    assert_eq!(
        refusal::<Switch<Auth>>("sometimes"),
        "is the text \"sometimes\", not true, false or a block of keys\n    write true, false or a block of keys"
    );
    let errors = parse::<Switch<Auth>>("{authenticater: x}", "f", "key").expect_err("no such key");
    assert_eq!(
        errors.to_string(),
        "f:1:2: error: key.authenticater: there is no such key\n    did you mean authenticator? There are authenticator, request_params\n"
    );
}

/// What validation says of a block that could be read.
fn complaints<T: serde::de::DeserializeOwned + crate::config::Validate>(yaml: &str) -> String {
    let node = crate::config::load(yaml, "f").expect("YAML");
    let mut errors = ConfigErrors::default();
    node.read_valid::<T>(&crate::config::Path::of("tls"), &mut errors);
    errors.to_string()
}

#[test]
fn client_tls_says_what_does_not_go_together() {
    for (yaml, message) in [
        ("{insecure: true}", ""),
        ("{ca_file: a, cert_file: c, key_file: k, min_version: '1.2', max_version: 1.3, reload_interval: 1h}", ""),
        ("cert_file: c", "f:1:1: error: tls: a certificate without its key\n    add key_file (or key_pem)\n"),
        ("key_pem: k", "f:1:1: error: tls: a key without its certificate\n    add cert_file (or cert_pem)\n"),
        ("{ca_file: a, ca_pem: b}", "f:1:14: error: tls.ca_pem: ca_file is given as well\n    keep one of the two\n"),
        (
            "{min_version: '1.3', max_version: '1.2'}",
            "f:1:2: error: tls.min_version: is newer than max_version\n    write a version that is not newer\n",
        ),
        (
            "min_version: '1.0'",
            "f:1:1: error: tls.min_version: TLS 1.0 and 1.1 are broken and not spoken here\n    write \"1.2\" or \"1.3\"\n",
        ),
        ("min_version: 1.4", "f:1:1: error: tls.min_version: \"1.4\" is not a choice here\n    there are 1.0, 1.1, 1.2, 1.3\n"),
        (
            "tpm: {enabled: true}",
            "f:1:1: error: tls.tpm: the Collector has this key; here it is planned and does not work yet\n    give the key as key_file\n",
        ),
        (
            "insecure_skip_verify: true",
            "f:1:1: warning: tls.insecure_skip_verify: accepts any certificate, so anybody on the way can read and change what is sent\n    \
             name the signer in ca_file, or the name on the certificate in server_name_override\n",
        ),
    ] {
        assert_eq!(complaints::<ClientTls>(yaml), message, "{yaml}");
    }
}

#[test]
fn server_tls_needs_a_certificate() {
    for (yaml, message) in [
        ("{cert_file: c, key_file: k, client_ca_file: a, client_ca_file_reload: true}", ""),
        (
            "{}",
            "f:1:1: error: tls: a server needs a certificate and its key\n    add cert_file and key_file, or remove tls to listen in the clear\n",
        ),
        (
            "{cert_file: c, key_file: k, client_ca_file_reload: true}",
            "f:1:29: error: tls.client_ca_file_reload: there is no client_ca_file to read again\n    add client_ca_file\n",
        ),
    ] {
        assert_eq!(complaints::<ServerTls>(yaml), message, "{yaml}");
    }
    assert_eq!(
        complaints::<Auth>("{}"),
        "f:1:1: error: tls: authenticator is missing\n    name an extension, such as authenticator: basicauth, or remove the block\n"
    );
}

/// The plainest statement of what a glob is, to hold the quick one against.
fn fits(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), _) => fits(rest, text) || text.split_first().is_some_and(|(_, text)| fits(pattern, text)),
        (Some(('?', pattern)), Some((_, text))) => fits(pattern, text),
        (Some((a, pattern)), Some((b, text))) => a == b && fits(pattern, text),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn globs_do_what_their_definition_says(pattern in "[ab*?]{0,8}", text in "[ab]{0,10}") {
        let (letters, chars): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
        prop_assert_eq!(Glob::new(&pattern).matches(&text), fits(&letters, &chars));
    }

    #[test]
    fn what_is_shown_is_read_back_the_same(nanos in any::<u64>(), bytes in any::<u64>(), parts in 0u64..=1_000_000_000_000) {
        let period: Period = format!("{}ns", nanos >> 1).parse().expect("nanoseconds");
        prop_assert_eq!(period.to_string().parse::<Period>(), Ok(period));
        let size = ByteSize::bytes(bytes);
        prop_assert_eq!(size.to_string().parse::<ByteSize>(), Ok(size));
        let share: Percent = format!("{}.{:010}%", parts / 10_000_000_000, parts % 10_000_000_000).parse().expect("a percentage");
        prop_assert_eq!(share.to_string().parse::<Percent>(), Ok(share));
    }

    #[test]
    fn no_text_makes_a_key_panic(text in ".{0,24}") {
        let _ = (text.parse::<Period>(), text.parse::<ByteSize>(), text.parse::<Percent>(), text.parse::<Endpoint>());
        let _ = Glob::new(&text).matches(&text);
    }
}
