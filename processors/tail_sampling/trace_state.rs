//! The W3C trace state of a span: read strictly, as the Collector does.

/// The members of a trace state, in their order; nothing where it breaks the rules: a key twice or in capitals, blanks around `=`, more
/// than 32 members.
pub(super) fn members(state: &str) -> Option<Vec<(&str, &str)>> {
    let mut members: Vec<(&str, &str)> = Vec::new();
    for member in state.split(',').filter(|member| !member.is_empty()) {
        let (key, value) = member.split_once('=')?;
        let (key, value) = (key.trim_start_matches([' ', '\t']), value.trim_end_matches([' ', '\t']));
        if !is_key(key) || !is_value(value) || members.iter().any(|(known, _)| *known == key) || members.len() == MOST {
            return None;
        }
        members.push((key, value));
    }
    Some(members)
}

const MOST: usize = 32;

fn is_key(key: &str) -> bool {
    match key.split_once('@') {
        None => is_key_part(key, 256, |first| first.is_ascii_lowercase()),
        Some((tenant, system)) => {
            is_key_part(tenant, 241, |first| first.is_ascii_lowercase() || first.is_ascii_digit())
                && is_key_part(system, 14, |first| first.is_ascii_lowercase())
        }
    }
}

fn is_key_part(part: &str, most: usize, is_first: impl Fn(&u8) -> bool) -> bool {
    let letter = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-' | b'*' | b'/');
    part.len() <= most && part.as_bytes().first().is_some_and(is_first) && part.bytes().all(|byte| letter(&byte))
}

fn is_value(value: &str) -> bool {
    let letter = |byte: u8| (0x20..=0x7e).contains(&byte) && byte != b',' && byte != b'=';
    !value.is_empty() && value.len() <= 256 && value.bytes().all(letter)
}

#[cfg(test)]
mod tests {
    use super::members;

    #[test]
    fn what_is_a_trace_state() {
        assert_eq!(members("a=1,b@c=2 , d/x=3"), Some(vec![("a", "1"), ("b@c", "2"), ("d/x", "3")]));
        assert_eq!(members(""), Some(vec![]));
        assert_eq!(members("a=1,,b=2").map(|members| members.len()), Some(2));
        let many = |count: usize| (0..count).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join(",");
        assert!(members(&many(32)).is_some());
        for wrong in ["a=1,a=2", "A=1", "a =1", "a= ", "a", "a=1=2", "1a=1", "a@B=1", "a=\u{e4}", &many(33)] {
            assert_eq!(members(wrong), None, "{wrong}");
        }
    }
}
