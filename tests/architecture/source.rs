//! Reads Rust source as far as the rules need it: which paths a file names, and from within which module.

use std::iter::Peekable;
use std::vec::IntoIter;

/// A piece of code. Comments, strings and whatever a path cannot contain are not kept apart.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    /// `::`
    Colons,
    Mark(char),
}

/// Words after which a path may begin with `::`, so that they are not taken for its first word.
const BEFORE_PATHS: [&str; 14] =
    ["as", "break", "const", "dyn", "else", "for", "if", "impl", "in", "match", "mut", "return", "use", "while"];

/// Every path the code names, `use` trees spelled out, and made absolute (`crate::…`) where it begins with `crate`, `self` or `super`.
/// `module` is the path of the file's module below its crate's root.
pub(crate) fn paths(code: &str, module: &[String]) -> Vec<Vec<String>> {
    let mut reader = Reader { tokens: tokens(code).into_iter().peekable(), modules: Vec::new(), depth: 0, found: Vec::new() };
    reader.read(module);
    reader.found
}

struct Reader {
    tokens: Peekable<IntoIter<Token>>,
    /// Modules opened by `mod name {`, with the depth of braces around each.
    modules: Vec<(String, usize)>,
    depth: usize,
    found: Vec<Vec<String>>,
}

impl Reader {
    fn read(&mut self, module: &[String]) {
        while let Some(token) = self.tokens.next() {
            match token {
                Token::Word(word) if word == "mod" => self.module(),
                Token::Word(word) if BEFORE_PATHS.contains(&word.as_str()) => {}
                Token::Word(word) => {
                    let before = self.found.len();
                    self.path(vec![word]);
                    self.make_absolute(before, module);
                }
                Token::Mark('{') => self.depth += 1,
                Token::Mark('}') => self.close(),
                Token::Mark(_) | Token::Colons => {}
            }
        }
    }

    fn module(&mut self) {
        let Some(Token::Word(name)) = self.tokens.next() else { return };
        if self.tokens.next() == Some(Token::Mark('{')) {
            self.modules.push((name, self.depth));
            self.depth += 1;
        }
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.modules.pop_if(|(_, depth)| *depth == self.depth);
    }

    /// Reads on from the words of a path that were read so far. A group of a `use` tree is a path per member.
    fn path(&mut self, mut words: Vec<String>) {
        while self.tokens.next_if_eq(&Token::Colons).is_some() {
            match self.tokens.peek() {
                Some(Token::Word(_) | Token::Mark('*')) => words.push(self.word()),
                Some(Token::Mark('{')) => return self.group(&words),
                _ => break,
            }
        }
        self.found.push(words);
    }

    fn word(&mut self) -> String {
        match self.tokens.next() {
            Some(Token::Word(word)) => word,
            Some(Token::Mark(mark)) => mark.to_string(),
            _ => String::new(),
        }
    }

    fn group(&mut self, prefix: &[String]) {
        self.tokens.next();
        loop {
            match self.tokens.peek() {
                None => return,
                Some(Token::Mark('}')) => {
                    self.tokens.next();
                    return;
                }
                Some(Token::Word(_) | Token::Mark('*')) => {
                    let member = self.word();
                    // A name given with `as` is no path, and `self` is the prefix itself.
                    match member.as_str() {
                        "as" => drop(self.word()),
                        "self" => self.found.push(prefix.to_vec()),
                        _ => self.path([prefix, &[member]].concat()),
                    }
                }
                Some(_) => {
                    self.tokens.next();
                }
            }
        }
    }

    fn make_absolute(&mut self, from: usize, module: &[String]) {
        let here: Vec<String> = module.iter().cloned().chain(self.modules.iter().map(|(name, _)| name.clone())).collect();
        for path in &mut self.found[from..] {
            if let Some(absolute) = absolute(path, &here) {
                *path = absolute;
            }
        }
    }
}

fn absolute(path: &[String], here: &[String]) -> Option<Vec<String>> {
    let supers = path.iter().skip_while(|word| *word == "self").take_while(|word| *word == "super").count();
    let selves = path.iter().take_while(|word| *word == "self").count();
    let rest = &path[selves + supers..];
    let root = ["crate".to_owned()];
    match path.first()?.as_str() {
        "self" | "super" => Some([&root, &here[..here.len().saturating_sub(supers)], rest].concat()),
        _ => None,
    }
}

fn tokens(code: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let length = noise(rest).unwrap_or_else(|| {
            let (token, length) = token(rest, first);
            found.extend(token);
            length
        });
        rest = &rest[length..];
    }
    found
}

fn token(rest: &str, first: char) -> (Option<Token>, usize) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    if is_word(first) {
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        return (Some(Token::Word(rest[..length].to_owned())), length);
    }
    match rest {
        _ if rest.starts_with("::") => (Some(Token::Colons), 2),
        _ if first.is_whitespace() => (None, first.len_utf8()),
        _ => (Some(Token::Mark(first)), first.len_utf8()),
    }
}

/// The length of a comment, a string, a character or the `r#` of a raw name, where `rest` begins with one.
fn noise(rest: &str) -> Option<usize> {
    let to = |end: Option<usize>, length: usize| Some(end.map_or(rest.len(), |at| at + length));
    if rest.starts_with("//") {
        return to(rest.find('\n'), 1);
    }
    if rest.starts_with("/*") {
        return Some(block_comment(rest));
    }
    let after_prefix = rest.trim_start_matches(['b', 'c']);
    if let Some(raw) = after_prefix.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let begin = rest.len() - raw.len() + hashes + 1;
            let end = format!("\"{}", "#".repeat(hashes));
            return Some(rest[begin..].find(&end).map_or(rest.len(), |at| begin + at + end.len()));
        }
        return (hashes == 1 && after_prefix.len() == rest.len()).then_some(2);
    }
    let prefix = rest.len() - after_prefix.len();
    if prefix <= 1 && after_prefix.starts_with('"') {
        return Some(prefix + quoted(after_prefix, '"'));
    }
    let is_character = after_prefix.starts_with("'\\") || after_prefix.starts_with('\'') && after_prefix.chars().nth(2) == Some('\'');
    (prefix <= 1 && is_character).then(|| prefix + quoted(after_prefix, '\''))
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0usize;
    for (at, _) in rest.char_indices() {
        if rest[at..].starts_with("/*") {
            depth += 1;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            if depth == 0 {
                return at + 2;
            }
        }
    }
    rest.len()
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

#[test]
fn paths_are_found_however_they_are_written() {
    let module = ["a".to_owned(), "b".to_owned()];
    let found = |code| paths(code, &module).into_iter().map(|path| path.join("::")).filter(|path| path.contains("::")).collect::<Vec<_>>();
    assert_eq!(found("use crate::x::{y, z::{self, W as V}, v::*};"), ["crate::x::y", "crate::x::z", "crate::x::z::W", "crate::x::v::*"]);
    assert_eq!(found("fn f(a: super::X<super::super::y::Y>) { crate::z::f::<u8>(); }"), ["crate::a::X", "crate::y::Y", "crate::z::f"]);
    assert_eq!(
        found("mod tests { use super::*; mod deep { use super::super::X; } } use super::Z;"),
        ["crate::a::b::*", "crate::a::b::X", "crate::a::Z"]
    );
    assert_eq!(found("use self::c::C; use ::other::D;"), ["crate::a::b::c::C", "other::D"]);
    assert_eq!(found("use super::{c, super::d};"), ["crate::a::c", "crate::d"]);
    assert_eq!(found("// crate::x\n/* /* crate::y */ crate::z */ let a = crate::a;"), ["crate::a"]);
    assert_eq!(found(r##"f("crate::x \" crate::y", r#"crate::" z"#, b"crate::v", '"', b'\'', 'c'); crate::w()"##), ["crate::w"]);
    assert_eq!(found("impl<'a> crate::r#mod::X<'a> {} mod inline; use super::Y;"), ["crate::mod::X", "crate::a::Y"]);
}
