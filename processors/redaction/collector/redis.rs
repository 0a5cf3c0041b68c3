//! Redis commands with `?` for the arguments that hold data.

/// Every line is a command.
pub(super) fn obfuscated(text: &str) -> String {
    let lines = text.split('\n').map(|line| command(line.trim()));
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// Which arguments of a command hold data, counted behind the command's name.
enum Data {
    /// All, and not even their number is told.
    All,
    /// One.
    One(usize),
    /// All behind the first, as one.
    BehindTheFirst,
    /// One of every so many, from the first on.
    Every { first: usize, step: usize },
    /// None.
    None,
}

fn command(line: &str) -> String {
    let mut words = words(line).into_iter();
    let Some(name) = words.next() else { return String::new() };
    let mut arguments: Vec<&str> = words.collect();
    let upper = name.to_ascii_uppercase();
    match data(&upper) {
        Data::All if !arguments.is_empty() => arguments = vec!["?"],
        Data::BehindTheFirst if arguments.len() > 1 => {
            arguments.truncate(1);
            arguments.push("?");
        }
        Data::One(place) => {
            if let Some(argument) = arguments.get_mut(place) {
                *argument = "?";
            }
        }
        Data::Every { first, step } => arguments.iter_mut().skip(first).step_by(step).for_each(|argument| *argument = "?"),
        Data::All | Data::BehindTheFirst | Data::None => by_subcommand(&upper, &mut arguments),
    }
    std::iter::once(name).chain(arguments).collect::<Vec<_>>().join(" ")
}

fn data(name: &str) -> Data {
    match name {
        "AUTH" => Data::All,
        "APPEND" | "GETSET" | "LPUSHX" | "GEORADIUSBYMEMBER" | "RPUSHX" | "SET" | "SETNX" | "SISMEMBER" | "ZRANK" | "ZREVRANK"
        | "ZSCORE" => Data::One(1),
        "HSETNX" | "LREM" | "LSET" | "SETBIT" | "SETEX" | "PSETEX" | "SETRANGE" | "ZINCRBY" | "SMOVE" | "RESTORE" => Data::One(2),
        "LINSERT" => Data::One(3),
        "GEOHASH" | "GEOPOS" | "GEODIST" | "LPUSH" | "RPUSH" | "SREM" | "ZREM" | "SADD" => Data::BehindTheFirst,
        "GEOADD" => Data::Every { first: 3, step: 3 },
        "HSET" | "HMSET" => Data::Every { first: 2, step: 2 },
        "MSET" | "MSETNX" => Data::Every { first: 1, step: 2 },
        _ => Data::None,
    }
}

/// Commands whose data stands where another argument says.
fn by_subcommand(name: &str, arguments: &mut [&str]) {
    match name {
        "CONFIG" if arguments.first().is_some_and(|first| first.eq_ignore_ascii_case("SET")) => {
            if let Some(argument) = arguments.get_mut(2) {
                *argument = "?";
            }
        }
        "BITFIELD" => {
            let sets: Vec<usize> = (0..arguments.len()).filter(|at| arguments[*at].eq_ignore_ascii_case("SET")).collect();
            for at in sets {
                if let Some(argument) = arguments.get_mut(at + 3) {
                    *argument = "?";
                }
            }
        }
        "ZADD" => {
            let is_option = |word: &&str| ["NX", "XX", "GT", "LT", "CH", "INCR"].iter().any(|option| word.eq_ignore_ascii_case(option));
            let options = arguments.iter().skip(1).take_while(|word| is_option(word)).count();
            arguments.iter_mut().skip(1 + options + 1).step_by(2).for_each(|argument| *argument = "?");
        }
        _ => {}
    }
}

/// The words of a command; what stands between double quotes is one.
fn words(line: &str) -> Vec<&str> {
    let bytes = line.as_bytes();
    let mut words = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at].is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let start = at;
        let is_quoted = bytes[at] == b'"';
        at += 1;
        while at < bytes.len() {
            match bytes[at] {
                b'\\' if is_quoted => at += 1,
                b'"' if is_quoted => {
                    at += 1;
                    break;
                }
                byte if !is_quoted && byte.is_ascii_whitespace() => break,
                _ => {}
            }
            at += 1;
        }
        at = at.min(bytes.len());
        words.push(&line[start..at]);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::obfuscated;

    #[test]
    fn commands_lose_their_data_as_in_the_collector() {
        let cases = [
            ("SET user:1 secret", "SET user:1 ?"),
            ("auth user pass", "auth ?"),
            ("HSET h f1 v1 f2 v2", "HSET h f1 ? f2 ?"),
            ("LPUSH l a b c", "LPUSH l ?"),
            ("CONFIG SET requirepass foo", "CONFIG SET requirepass ?"),
            ("ZADD z NX CH 1 m1 2 m2", "ZADD z NX CH 1 ? 2 ?"),
            ("BITFIELD k GET u8 0 SET u8 1 2 INCRBY u8 3 4", "BITFIELD k GET u8 0 SET u8 1 ? INCRBY u8 3 4"),
            ("GEOADD k 1 2 m 3 4 n", "GEOADD k 1 2 ? 3 4 ?"),
            ("SET \"a \\\" b\" \"c d\" EX 10", "SET \"a \\\" b\" ? EX 10"),
            ("SET a b\r\n  MSET c  1 d 2 ", "SET a ?\nMSET c ? d ?"),
            ("GET a", "GET a"),
            ("set", "set"),
            ("", ""),
        ];
        for (before, after) in cases {
            assert_eq!(obfuscated(before), after, "{before}");
        }
    }
}
