//! From tokens to a tree. Nothing here knows which names there are.

use super::problem::Problem;
use super::token::{Kind, Token, tokens};
use super::tree::{Call, CompareOp, Key, MathOp, Node, Part, Statement, Term};

/// How deep parentheses, lists, maps and calls may stand inside of each other.
const MOST_DEPTH: usize = 48;

/// Reads a condition.
pub(super) fn condition(text: &str) -> Result<Node, Problem> {
    let mut parser = Parser::new(text)?;
    let node = parser.expression()?;
    parser.end(&node)?;
    Ok(node)
}

/// Reads an editor and its condition.
pub(super) fn statement(text: &str) -> Result<Statement, Problem> {
    let mut parser = Parser::new(text)?;
    let (at, kind) = parser.take();
    let name = match kind {
        Kind::Lower(name) if parser.is("(") => name,
        Kind::Upper(name) => {
            let wrong = format!("{name} is a converter: it gives a value and changes nothing");
            return Err(Problem::new(at, wrong, "a statement begins with an editor, such as set(…)"));
        }
        _ => return Err(Problem::new(at, "no editor", "a statement begins with one, such as set(span.attributes[\"k\"], \"v\")")),
    };
    let editor = parser.call(name)?;
    if let Some((at, _)) = editor.keys.first() {
        return Err(Problem::new(*at, "brackets behind an editor, which gives nothing", "remove them"));
    }
    let condition = if parser.word("where") { Some(parser.expression()?) } else { None };
    match parser.take() {
        (_, Kind::End) => Ok(Statement { at, editor, condition }),
        (at, _) if condition.is_none() => Err(Problem::new(
            at,
            "something behind the editor",
            "a condition begins with `where`; a second editor is a statement of its own",
        )),
        (at, _) => Err(left_over(at)),
    }
}

fn left_over(at: usize) -> Problem {
    Problem::new(at, "something is left over", "join conditions with `and` or `or`; a comparison has two sides")
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
}

type Parsed = Result<Node, Problem>;

impl Parser {
    fn new(text: &str) -> Result<Self, Problem> {
        Ok(Self { tokens: tokens(text)?, next: 0, depth: 0 })
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(0, |token| token.at)
    }

    fn peek(&self) -> &Kind {
        self.tokens.get(self.next).map_or(&Kind::End, |token| &token.kind)
    }

    fn take(&mut self) -> (usize, Kind) {
        let taken = (self.at(), self.peek().clone());
        // The end stays the end.
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        taken
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.peek(), Kind::Sign(found) if *found == sign)
    }

    /// Steps over a sign, if it is the next.
    fn sign(&mut self, sign: &str) -> bool {
        let found = self.is(sign);
        if found {
            self.take();
        }
        found
    }

    /// Steps over a word, if it is the next.
    fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Kind::Lower(found) if found == word);
        if found {
            self.take();
        }
        found
    }

    fn expect(&mut self, sign: &'static str, why: &str) -> Result<(), Problem> {
        if self.sign(sign) { Ok(()) } else { Err(Problem::new(self.at(), format!("`{sign}` is missing"), why)) }
    }

    fn end(&mut self, read: &Node) -> Result<(), Problem> {
        match self.take() {
            (_, Kind::End) => Ok(()),
            (at, Kind::Lower(word)) if word == "where" => {
                Err(Problem::new(at, "`where` in a condition", "it belongs to statements; join conditions with `and` or `or`"))
            }
            (at, Kind::Sign("=")) => Err(Problem::new(at, "`=` compares nothing", "write ==")),
            (at, _) if matches!(read.term, Term::Compare(..)) => {
                Err(Problem::new(at, "a comparison has two sides, and this is behind the second", "join comparisons with `and` or `or`"))
            }
            (at, _) => Err(left_over(at)),
        }
    }

    /// Reads something one level further in.
    fn deeper(&mut self, read: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        if self.depth == MOST_DEPTH {
            return Err(Problem::new(self.at(), "this is nested too deep", format!("at most {MOST_DEPTH} levels can be")));
        }
        self.depth += 1;
        let node = read(self);
        self.depth -= 1;
        node
    }

    fn expression(&mut self) -> Parsed {
        self.deeper(Self::or)
    }

    fn or(&mut self) -> Parsed {
        self.joined("or", Self::and, Term::Or)
    }

    fn and(&mut self) -> Parsed {
        self.joined("and", Self::not, Term::And)
    }

    fn joined(&mut self, word: &str, mut part: impl FnMut(&mut Self) -> Parsed, join: fn(Vec<Node>) -> Term) -> Parsed {
        let first = part(self)?;
        let at = first.at;
        let mut nodes = vec![first];
        while self.word(word) {
            nodes.push(part(self)?);
        }
        match nodes.pop() {
            Some(only) if nodes.is_empty() => Ok(only),
            last => {
                nodes.extend(last);
                Ok(Node { at, term: join(nodes) })
            }
        }
    }

    fn not(&mut self) -> Parsed {
        let at = self.at();
        if self.word("not") {
            let inner = self.deeper(Self::not)?;
            return Ok(Node { at, term: Term::Not(Box::new(inner)) });
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Parsed {
        let left = self.sum()?;
        let op = match self.peek() {
            Kind::Sign("==") => CompareOp::Equal,
            Kind::Sign("!=") => CompareOp::NotEqual,
            Kind::Sign("<") => CompareOp::Less,
            Kind::Sign("<=") => CompareOp::LessOrEqual,
            Kind::Sign(">") => CompareOp::Greater,
            Kind::Sign(">=") => CompareOp::GreaterOrEqual,
            _ => return Ok(left),
        };
        self.take();
        let right = self.sum()?;
        Ok(Node { at: left.at, term: Term::Compare(Box::new(left), op, Box::new(right)) })
    }

    fn sum(&mut self) -> Parsed {
        self.math(Self::product, |sign| match sign {
            "+" => Some(MathOp::Add),
            "-" => Some(MathOp::Subtract),
            _ => None,
        })
    }

    fn product(&mut self) -> Parsed {
        self.math(Self::signed, |sign| match sign {
            "*" => Some(MathOp::Multiply),
            "/" => Some(MathOp::Divide),
            _ => None,
        })
    }

    fn math(&mut self, mut part: impl FnMut(&mut Self) -> Parsed, op: impl Fn(&str) -> Option<MathOp>) -> Parsed {
        let first = part(self)?;
        let mut rest = Vec::new();
        while let Kind::Sign(sign) = self.peek()
            && let Some(op) = op(sign)
        {
            self.take();
            rest.push((op, part(self)?));
        }
        if rest.is_empty() { Ok(first) } else { Ok(Node { at: first.at, term: Term::Math(Box::new(first), rest) }) }
    }

    fn signed(&mut self) -> Parsed {
        let at = self.at();
        if self.sign("+") {
            return self.deeper(Self::signed);
        }
        if !self.sign("-") {
            return self.value();
        }
        // The smallest number has no positive counterpart, so the sign belongs to the digits.
        if let Kind::Int(number) = *self.peek() {
            self.take();
            return Ok(Node { at, term: Term::Int(number.wrapping_neg().cast_signed()) });
        }
        let node = self.deeper(Self::signed)?;
        let term = match node.term {
            Term::Float(number) => Term::Float(-number),
            term => Term::Minus(Box::new(Node { term, ..node })),
        };
        Ok(Node { at, term })
    }

    fn value(&mut self) -> Parsed {
        let (at, kind) = self.take();
        let term = match kind {
            Kind::Text(text) => Term::Text(text),
            Kind::Bytes(bytes) => Term::Bytes(bytes),
            Kind::Int(number) => match i64::try_from(number) {
                Ok(number) => Term::Int(number),
                Err(_) => return Err(Problem::new(at, "this is larger than a whole number can be", "the largest is 9223372036854775807")),
            },
            Kind::Float(number) => Term::Float(number),
            Kind::Upper(name) if self.is("(") => Term::Call(self.call(name)?),
            Kind::Upper(name) => Term::Name(name),
            Kind::Lower(word) => return self.lower(at, word),
            Kind::Sign("(") => {
                let inner = self.expression()?;
                self.expect(")", "close the parenthesis")?;
                return Ok(Node { at, ..inner });
            }
            Kind::Sign("[") => Term::List(self.list()?),
            Kind::Sign("{") => Term::Map(self.map()?),
            Kind::Sign(sign) => return Err(Problem::new(at, format!("`{sign}` where a value should be"), VALUES)),
            Kind::End => return Err(Problem::new(at, "it ends where a value should be", VALUES)),
        };
        Ok(Node { at, term })
    }

    fn lower(&mut self, at: usize, word: String) -> Parsed {
        let term = match word.as_str() {
            "nil" => Term::Nil,
            "true" => Term::Bool(true),
            "false" => Term::Bool(false),
            "and" | "or" | "not" | "where" => return Err(Problem::new(at, format!("`{word}` where a value should be"), VALUES)),
            _ if self.is("(") => {
                let wrong = format!("{word} is an editor, or none at all: it gives no value");
                return Err(Problem::new(at, wrong, "functions that give a value begin with a capital letter"));
            }
            _ => return self.path(at, word),
        };
        Ok(Node { at, term })
    }

    fn path(&mut self, start: usize, first: String) -> Parsed {
        let mut parts = vec![Part { at: start, name: first, keys: self.keys()? }];
        while self.sign(".") {
            match self.take() {
                (at, Kind::Lower(name)) => parts.push(Part { at, name, keys: self.keys()? }),
                (at, _) => return Err(Problem::new(at, "a name is missing behind the dot", "names of paths begin in lower case")),
            }
        }
        Ok(Node { at: start, term: Term::Path(parts) })
    }

    fn keys(&mut self) -> Result<Vec<(usize, Key)>, Problem> {
        let mut keys = Vec::new();
        while self.sign("[") {
            let key = match self.take() {
                (at, Kind::Text(text)) => (at, Key::Text(text)),
                (at, Kind::Int(index)) => {
                    let index = usize::try_from(index).map_err(|_| Problem::new(at, "no list is as long", "count from 0"))?;
                    (at, Key::Index(index))
                }
                (at, _) => return Err(Problem::new(at, "a key that is not written out", "write [\"key\"] or [0]")),
            };
            keys.push(key);
            self.expect("]", "close the bracket: [\"key\"]")?;
            if keys.len() > MOST_DEPTH {
                return Err(Problem::new(self.at(), "more keys than a value has levels", format!("at most {MOST_DEPTH} can be")));
            }
        }
        Ok(keys)
    }

    /// The arguments of a function whose name was read, and what stands in brackets behind.
    fn call(&mut self, name: String) -> Result<Call, Problem> {
        self.expect("(", "write the arguments in parentheses")?;
        let mut arguments = Vec::new();
        if !self.sign(")") {
            loop {
                let named = match (self.peek(), self.tokens.get(self.next + 1)) {
                    (Kind::Lower(name), Some(Token { kind: Kind::Sign("="), .. })) => Some(name.clone()),
                    _ => None,
                };
                if named.is_some() {
                    self.take();
                    self.take();
                } else if arguments.last().is_some_and(|(name, _): &(Option<String>, Node)| name.is_some()) {
                    return Err(Problem::new(
                        self.at(),
                        "an argument without a name behind one that has one",
                        "give it its name, or put it first",
                    ));
                }
                arguments.push((named, self.expression()?));
                if !self.sign(",") {
                    break;
                }
            }
            self.expect(")", "separate arguments by commas, and close the parenthesis")?;
        }
        Ok(Call { name, arguments, keys: self.keys()? })
    }

    fn list(&mut self) -> Result<Vec<Node>, Problem> {
        let mut nodes = Vec::new();
        if self.sign("]") {
            return Ok(nodes);
        }
        loop {
            nodes.push(self.expression()?);
            if !self.sign(",") {
                break;
            }
        }
        self.expect("]", "separate values by commas, and close the bracket")?;
        Ok(nodes)
    }

    fn map(&mut self) -> Result<Vec<(String, Node)>, Problem> {
        let mut entries = Vec::new();
        if self.sign("}") {
            return Ok(entries);
        }
        loop {
            let (at, kind) = self.take();
            let Kind::Text(key) = kind else { return Err(Problem::new(at, "a key that is no text", "write {\"key\": value}")) };
            self.expect(":", "write {\"key\": value}")?;
            entries.push((key, self.expression()?));
            if !self.sign(",") {
                break;
            }
        }
        self.expect("}", "separate entries by commas, and close the brace")?;
        Ok(entries)
    }
}

const VALUES: &str = "a value is a path, a literal or a converter: span.name, \"text\", 5, Len(span.name)";

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(text: &str) -> String {
        let node = condition(text).unwrap_or_else(|problem| panic!("{text}: {problem:?}"));
        node.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn not_binds_before_and_before_or() {
        assert_eq!(drawn("a == 1 or not b == 2 and c == 3"), "or == a 1 and not == b 2 == c 3");
        assert_eq!(drawn("(a == 1 or b == 2) and c == 3"), "and or == a 1 == b 2 == c 3");
        assert_eq!(drawn("not (a == 1)"), "not == a 1");
        assert_eq!(drawn("a == 100 + 50 * 2 - 1"), "== a math 100 + math 50 * 2 - 1");
        assert_eq!(drawn("a == (100 + 150) * 2"), "== a math math 100 + 150 * 2");
        assert_eq!(drawn("a -1 > -.5 * -b"), "> math a - 1 math -0.5 * - b");
    }

    #[test]
    fn everything_has_its_place() {
        assert_eq!(
            drawn(r#"Split(span.attributes["k"]["n"][0], ",", depth=-1)[2] == {"k": ["v", 0x0a, nil, true], "e": {}}"#),
            r#"== Split[2] span.attributes["k"]["n"][0] "," depth= -1 map "k": list "v" 0x0a nil true "e": map"#
        );
        assert_eq!(drawn("a == -9223372036854775808"), "== a -9223372036854775808");
        let statement = statement("set  (  attributes[\"x\"]  ,  \"y\" )  where  true").unwrap();
        assert_eq!(statement.to_string(), "set\n  attributes[\"x\"]\n  \"y\"\nwhere\n  true\n");
    }

    #[test]
    fn what_cannot_be_read_says_where_and_why() {
        for (text, at, wrong) in [
            ("name == name == \"a\"", 13, "two sides"),
            ("name = \"a\"", 5, "compares nothing"),
            ("name ==", 7, "it ends"),
            ("", 0, "it ends"),
            ("(a == 1", 7, "`)` is missing"),
            ("a[x] == 1", 2, "not written out"),
            ("a[\"k\" == 1", 6, "`]` is missing"),
            ("a. == 1", 3, "a name is missing"),
            ("set(a, 1) == 1", 0, "gives no value"),
            ("a == 1 where b == 1", 7, "`where`"),
            ("F(a=1, 2)", 7, "without a name"),
            ("F(1 2)", 4, "`)` is missing"),
            ("a == {1: 2}", 6, "no text"),
            ("a == 9223372036854775808", 5, "larger"),
            ("a == and", 5, "`and` where"),
        ] {
            let problem = condition(text).unwrap_err();
            assert!(problem.at == at && problem.wrong.contains(wrong), "{text}: {problem:?}");
        }
        for (text, at, wrong) in [
            ("IsMatch(a)", 0, "is a converter"),
            ("a == 1", 0, "no editor"),
            ("set(a, 1)[0]", 10, "brackets"),
            ("set(a, 1) if b", 10, "behind the editor"),
            ("set(a, 1) where b == 1 c", 23, "left over"),
        ] {
            let problem = statement(text).unwrap_err();
            assert!(problem.at == at && problem.wrong.contains(wrong), "{text}: {problem:?}");
        }
    }

    #[test]
    fn depth_is_bounded_and_length_is_not_depth() {
        for (open, close) in [("(", ")"), ("[", "]"), ("F(", ")"), ("not ", ""), ("- ", ""), ("+", ""), ("{\"k\":", "}")] {
            let text = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
            assert!(condition(&text).unwrap_err().wrong.contains("nested too deep"), "{open}");
        }
        let keys = format!("a{} == 1", "[0]".repeat(10_000));
        assert!(condition(&keys).unwrap_err().wrong.contains("more keys"));
        for text in ["1+".repeat(20_000), "a and ".repeat(10_000)] {
            assert!(condition(&format!("{text}1")).is_ok());
        }
        assert!(condition(&"x".repeat(70_000)).unwrap_err().wrong.contains("more than an expression may have"));
    }
}
