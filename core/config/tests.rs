//! Reading blocks: what fits which key, that every mistake is told at once, and with which words.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

/// A block with a bit of everything.
#[derive(Clone, Debug, PartialEq, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
struct Block {
    /// How long to wait for the rest
    /// of a trace.
    decision_wait: Period,
    /// How many traces to hold.
    num_traces: u64,
    /// Whether to mark what is kept.
    marks: bool,
    /// A name.
    name: String,
    ratio: f64,
    /// How votes are combined.
    mode: Mode,
    /// What decides.
    policies: Vec<Policy>,
    /// More, by name.
    #[schemars(skip)]
    limits: BTreeMap<String, Policy>,
    memory: Option<ByteSize>,
    small: u8,
}

impl Default for Block {
    fn default() -> Self {
        Self {
            decision_wait: Period::seconds(30),
            num_traces: 50_000,
            marks: false,
            name: String::new(),
            ratio: 0.5,
            mode: Mode::Keep,
            policies: Vec::new(),
            limits: BTreeMap::new(),
            memory: None,
            small: 1,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize, serde::Serialize, Schema)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Keep,
    DropAll,
}

#[derive(Clone, Debug, PartialEq, Deserialize, serde::Serialize, Schema)]
#[serde(deny_unknown_fields)]
struct Policy {
    /// What it is called.
    name: String,
    /// Its share.
    #[serde(default = "all")]
    share: Percent,
}

fn all() -> Percent {
    Percent::ALL
}

impl Validate for Policy {
    fn validate(&self, errors: &mut ConfigErrors) {
        if self.share.is_zero() {
            errors.warn("share", "0% drops everything", "give a share such as 10%");
        }
        if self.name == "bad" {
            errors.error("name", "is a bad name", "take another one");
        }
    }
}

impl Validate for Block {
    fn validate(&self, errors: &mut ConfigErrors) {
        errors.within("policies", &self.policies);
        errors.within("limits", &self.limits);
        if self.policies.is_empty() {
            errors.error("policies", "nothing decides", "add a policy");
        }
        if self.small == 0 {
            errors.error("small", "is 0", "write 1");
        }
    }
}

fn read(yaml: &str) -> Block {
    parse(yaml, "g.yaml", "p.tail").unwrap_or_else(|errors| panic!("{yaml}: {errors}"))
}

fn refusal(yaml: &str) -> String {
    parse::<Block>(yaml, "g.yaml", "p.tail").expect_err(yaml).to_string()
}

/// Reads and validates: what came out, and all that was said.
fn check(yaml: &str) -> (Option<Block>, String) {
    let node = load(yaml, "g.yaml").expect("YAML");
    let mut errors = ConfigErrors::default();
    let block = node.read_valid(&Path::of("p.tail"), &mut errors);
    (block, errors.to_string())
}

#[test]
fn an_empty_block_has_its_defaults() {
    for yaml in ["", "{}", "~", "# nothing but a remark", "policies:", "policies: ~", "memory:"] {
        assert_eq!(read(yaml), Block::default(), "{yaml}");
    }
    assert_eq!(read("policies: []").policies, []);
}

#[test]
fn whole_numbers_may_come_as_helm_writes_them() {
    for (yaml, number) in [
        ("100", 100),
        ("1e+06", 1_000_000),
        ("100.0", 100),
        ("1E3", 1_000),
        ("0x64", 100),
        ("0755", 493),
        ("18446744073709551615", u64::MAX),
    ] {
        assert_eq!(read(&format!("num_traces: {yaml}")).num_traces, number, "{yaml}");
    }
    assert_eq!(read("ratio: 1").ratio, 1.0);
    assert_eq!(read("ratio: .25").ratio, 0.25);
}

#[test]
fn text_is_what_was_typed() {
    for (yaml, text) in [
        ("abc", "abc"),
        ("0123", "0123"),
        ("1.10", "1.10"),
        ("1e+06", "1e+06"),
        ("true", "true"),
        ("no", "no"),
        ("'a: b'", "a: b"),
        ("2024-01-02", "2024-01-02"),
        ("", ""),
    ] {
        assert_eq!(read(&format!("name: {yaml}")).name, text, "{yaml}");
    }
    assert_eq!(read("{name: &x 007, limits: {a: {name: *x}}}").limits["a"].name, "007");
}

#[test]
fn what_does_not_fit_is_refused_with_what_would() {
    for (yaml, message) in [
        ("num_traces: many", "num_traces: is the text \"many\", not a whole number\n    write a whole number such as 100"),
        ("num_traces: '100'", "num_traces: is the text \"100\", not a number\n    write 100 without quotes"),
        ("num_traces: 1.5", "num_traces: is the number 1.5, not a whole number\n    write 1 or 2"),
        ("num_traces: -1", "num_traces: is the number -1, not a number that fits\n    write a whole number from 0 to 18446744073709551615"),
        (
            "num_traces: 1e+30",
            "num_traces: is the number 1000000000000000000000000000000, not a number that fits\n    \
             write a whole number from 0 to 18446744073709551615",
        ),
        ("num_traces:", "num_traces: has no value\n    write a whole number such as 100, or remove the key to have its default"),
        ("num_traces: [1]", "num_traces: is a list, not a whole number\n    write a whole number such as 100"),
        ("small: 256", "small: is the number 256, not a number that fits\n    write a whole number from 0 to 255"),
        ("ratio: high", "ratio: is the text \"high\", not a number\n    write a number such as 0.5"),
        ("ratio: '0.5'", "ratio: is the text \"0.5\", not a number\n    write 0.5 without quotes"),
        ("marks: on", "marks: is the text \"on\", not true or false\n    write true"),
        ("marks: 'no'", "marks: is the text \"no\", not true or false\n    write false"),
        ("marks: 1", "marks: is the number 1, not true or false\n    write true or false"),
        ("marks:", "marks: has no value\n    write true or false, or remove the key to have its default"),
        ("name: [a]", "name: is a list, not text\n    write text"),
        ("name: {a: b}", "name: is a block of keys, not text\n    write text"),
        ("mode: kep", "mode: \"kep\" is not a choice here\n    did you mean keep? There are drop_all, keep"),
        ("mode: other", "mode: \"other\" is not a choice here\n    there are drop_all, keep"),
        ("mode: []", "mode: is a list, not one of the choices\n    write keep or drop_all"),
        ("policies: {name: a}", "policies: is a block of keys, not a list\n    write a list: [a, b]"),
        ("policies: a", "policies: is the text \"a\", not a list\n    write a list: [a, b]"),
        ("limits: [a]", "limits: is a list, not a block of keys\n    write keys and values, or {} for the defaults"),
        (
            "decision_wait: 10",
            "decision_wait: 10 has no unit; the Collector would take it for nanoseconds\n    write 10s for seconds, 10ms for thousandths",
        ),
        ("memory: 1M", "memory: \"1M\" has no unit that is known: \"M\"\n    write 1MiB to count by 1024, or 1MB by 1000"),
        (
            "decison_wait: 10s",
            "decison_wait: there is no such key\n    did you mean decision_wait? There are \
             decision_wait, limits, marks, memory, mode, name, num_traces, policies, ratio, small",
        ),
    ] {
        assert_eq!(refusal(yaml), format!("g.yaml:1:1: error: p.tail.{message}\n"), "{yaml}");
    }
    assert_eq!(
        refusal("5"),
        "g.yaml:1:1: error: p.tail: is the number 5, not a block of keys\n    write keys and values, or {} for the defaults\n"
    );
}

#[test]
fn all_mistakes_are_told_at_once_each_at_its_place() {
    let yaml = "\
decision_wait: 10 days
num_traces: many
polices: []
policies:
  - {name: a, share: 110%}
  - {share: 10%}
  - name: [b]
  - {name: c, chare: 5}
limits:
  http.route: {name: d, share: half}
";
    let told = "\
g.yaml:1:1: error: p.tail.decision_wait: \"10 days\" has no unit that is known: \" days\"
    write 240h
g.yaml:2:1: error: p.tail.num_traces: is the text \"many\", not a whole number
    write a whole number such as 100
g.yaml:3:1: error: p.tail.polices: there is no such key
    did you mean policies? There are decision_wait, limits, marks, memory, mode, name, num_traces, policies, ratio, small
g.yaml:5:15: error: p.tail.policies[0].share: \"110%\" is more than all
    write a percentage from 0 to 100
g.yaml:6:5: error: p.tail.policies[1]: name is missing
    add name
g.yaml:7:5: error: p.tail.policies[2].name: is a list, not text
    write text
g.yaml:8:15: error: p.tail.policies[3].chare: there is no such key
    did you mean share? There are name, share
g.yaml:10:25: error: p.tail.limits[\"http.route\"].share: \"half\" is no percentage
    write 10%, 10 or 0.5%
";
    assert_eq!(refusal(yaml), told);
}

#[test]
fn validation_adds_to_what_could_be_read() {
    let (block, told) = check("{small: 0, policies: [{name: a, share: 0}, {name: bad}], limits: {x: {name: bad}}}");
    assert_eq!(block, None);
    assert_eq!(
        told,
        "g.yaml:1:2: error: p.tail.small: is 0\n    write 1\n\
         g.yaml:1:45: error: p.tail.policies[1].name: is a bad name\n    take another one\n\
         g.yaml:1:71: error: p.tail.limits.x.name: is a bad name\n    take another one\n\
         g.yaml:1:33: warning: p.tail.policies[0].share: 0% drops everything\n    give a share such as 10%\n"
    );
    let (block, told) = check("policies: [{name: a, share: 0}]");
    assert!(block.is_some(), "a warning does not refuse: {told}");
}

#[test]
fn validation_is_silent_about_what_could_not_be_read() {
    // `policies` is empty and `small` is 0, but only the second is what the user wrote.
    let (block, told) = check("{policies: {}, small: 0}");
    assert_eq!(block, None);
    assert_eq!(
        told,
        "g.yaml:1:2: error: p.tail.policies: is a block of keys, not a list\n    write a list: [a, b]\n\
         g.yaml:1:16: error: p.tail.small: is 0\n    write 1\n"
    );
    // An element that is cut out moves those behind it, and nothing can be said of them by number.
    let (_, told) = check("policies: [{name: [x]}, {name: bad}]");
    assert_eq!(told, "g.yaml:1:13: error: p.tail.policies[0].name: is a list, not text\n    write text\n");
}

#[test]
fn a_file_that_is_something_else_is_given_up() {
    let yaml: String = (0..200).map(|n| format!("key{n}: 1\n")).collect();
    let errors = parse::<Block>(&yaml, "g.yaml", "p").expect_err("no key of it is known");
    assert_eq!(errors.len(), 51);
}

#[test]
fn what_is_no_yaml_says_where() {
    for (yaml, message) in [
        ("a: [1, 2", "g.yaml:1:4: error: this is not YAML: unclosed bracket '['"),
        (
            "a: 1\nb: *nobody\n",
            "g.yaml:2:4: error: this alias (`*name`) has no anchor\n    write `&name` before it, at what it shall repeat\n",
        ),
        (
            "a: 1\n---\nb: 2\n",
            "g.yaml:3:1: error: a second document begins here\n    remove the line `---`, or give the second part as a file of its own\n",
        ),
        ("a: 1\n\tb: 2\n", "g.yaml:1:4: error: this is not YAML: while scanning a plain scalar, found a tab"),
    ] {
        let errors = load(yaml, "g.yaml").expect_err(yaml);
        assert!(errors.to_string().starts_with(message), "{yaml:?}: {errors}");
    }
}

#[test]
fn keys_written_twice_are_all_told() {
    let errors = load("a: 1\nb: {c: 1, d: 2, c: 3}\na: 2\n", "g.yaml").expect_err("two keys are written twice");
    assert_eq!(
        errors.to_string(),
        "g.yaml:2:17: error: b.c: this key is written twice; the first time in line 2\n    keep one of the two\n\
         g.yaml:3:1: error: a: this key is written twice; the first time in line 1\n    keep one of the two\n"
    );
}

#[test]
fn bombs_are_defused() {
    let mut aliases = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let below = level - 1;
        aliases += &format!("a{level}: &a{level} [{}]\n", vec![format!("*a{below}"); 10].join(", "));
    }
    let deep = format!("a: {}{}", "[".repeat(100), "]".repeat(100));
    let wide = format!("a: [{}]", "1, ".repeat(200_000));
    for yaml in [aliases, deep, wide] {
        let errors = load(&yaml, "g.yaml").expect_err("it unfolds to too much");
        let told = errors.to_string();
        assert!(told.contains("this unfolds to more than a configuration can need"), "{told}");
    }
}

#[test]
fn anchors_and_merges_are_resolved() {
    let block = read("limits: {a: &base {name: x, share: 10%}, b: {<<: *base, name: y}, c: *base}");
    assert_eq!(block.limits["b"], Policy { name: "y".to_owned(), share: Percent::whole(10) });
    assert_eq!(block.limits["c"], block.limits["a"]);
    let told = refusal("limits:\n  a: &base {name: x, share: 200%}\n  c: *base\n");
    assert!(told.starts_with("g.yaml:2:"), "{told}");
}

#[test]
fn paths_are_written_as_they_are_read() {
    for (path, shown) in [
        (Path::ROOT, ""),
        (Path::of("a.b"), "a.b"),
        (Path::of("a").index(2).key("b"), "a[2].b"),
        (Path::of("a").key("http.route"), "a[\"http.route\"]"),
        (Path::of("processors").key("tail_sampling/a.b"), "processors[\"tail_sampling/a.b\"]"),
        (Path::of("a").key(""), "a[\"\"]"),
    ] {
        assert_eq!(path.to_string(), shown);
    }
    assert_eq!(Path::of("a.b.c").below(&Path::of("a")), Some(Path::of("b.c")));
    assert_eq!(Path::of("a.b").below(&Path::of("b")), None);
    assert_eq!(Path::of("a.b").parent(), Path::of("a"));
    assert!(
        Path::of("a").overlaps(&Path::of("a.b")) && Path::of("a.b").overlaps(&Path::of("a")) && !Path::of("a.b").overlaps(&Path::of("a.c"))
    );
}

#[test]
fn the_nearest_name_is_found_and_a_far_one_is_not() {
    let names = ["decision_wait", "num_traces", "policies", "rules", "mode", "tail_sampling", "otlp"];
    for (name, meant) in [
        ("decison_wait", Some("decision_wait")),
        ("decision-wait", Some("decision_wait")),
        ("DecisionWait", Some("decision_wait")),
        ("num_trace", Some("num_traces")),
        ("polcies", Some("policies")),
        ("poilcies", Some("policies")),
        ("rule", Some("rules")),
        ("mdoe", Some("mode")),
        ("tailsampling", Some("tail_sampling")),
        ("oltp", Some("otlp")),
        ("batch", None),
        ("x", None),
        ("", None),
    ] {
        assert_eq!(nearest(name, names), meant, "{name}");
    }
}

#[test]
fn errors_come_in_the_order_of_the_files_with_warnings_last() {
    let mut errors = ConfigErrors::default();
    assert!(errors.is_empty());
    errors.warn_here("hardly meant", "");
    errors.at("b").index(1).at("c").error("d", "wrong", "right\nor this");
    {
        let mut scope = errors.at("b");
        scope.error_here("also wrong", "");
        assert_eq!(scope.here(), &Path::of("b"));
    }
    assert_eq!(errors.here(), &Path::ROOT);
    assert!(errors.has_errors());
    assert_eq!(errors.to_string(), "error: b[1].c.d: wrong\n    right\n    or this\nerror: b: also wrong\nwarning: hardly meant\n");
    errors.locate(&load("x: 1\nb:\n  - 1\n", "g.yaml").expect("YAML"), &Path::ROOT);
    assert_eq!(
        errors.to_string(),
        "g.yaml:2:1: error: b[1].c.d: wrong\n    right\n    or this\ng.yaml:2:1: error: b: also wrong\ng.yaml:1:1: warning: hardly meant\n"
    );
}

#[test]
fn a_tree_shows_its_shape_and_not_what_is_in_it() {
    let node = load("password: hunter2\nlist: [1, true, ~]", "g.yaml").expect("YAML");
    assert_eq!(format!("{node:?}"), "{\"password\": text, \"list\": [a number, true or false, empty]}");
}

#[test]
fn a_choice_may_carry_a_block() {
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Sampler {
        All,
        Dynamic { goal: Percent },
        Fixed(u8),
    }
    let read = |yaml| parse::<Sampler>(yaml, "f", "s").map_err(|errors| errors.to_string());
    assert_eq!(read("all"), Ok(Sampler::All));
    assert_eq!(read("{dynamic: {goal: 10%}}"), Ok(Sampler::Dynamic { goal: Percent::whole(10) }));
    assert_eq!(read("fixed: 5"), Ok(Sampler::Fixed(5)));
    for (yaml, message) in [
        ("{dynamic: {goal: x}}", "f:1:12: error: s.dynamic.goal: \"x\" is no percentage\n    write 10%, 10 or 0.5%\n"),
        ("dynamic", "f:1:1: error: s: \"dynamic\" says not enough\n    write {dynamic: …}\n"),
        ("{all: 1}", "f:1:1: error: s: \"all\" takes nothing further\n    write all\n"),
        ("{all: ~, fixed: 1}", "f:1:1: error: s: is a block of keys, not one choice\n    write all, dynamic or fixed\n"),
        ("dynamik", "f:1:1: error: s: \"dynamik\" is not a choice here\n    did you mean dynamic? There are all, dynamic, fixed\n"),
    ] {
        assert_eq!(read(yaml), Err(message.to_owned()), "{yaml}");
    }
}

#[test]
fn what_serde_reads_through_a_buffer_is_at_least_named() {
    #[derive(Debug, Deserialize)]
    #[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
    enum Sampler {
        #[expect(dead_code, reason = "only what is refused is looked at")]
        Fixed { share: Percent },
    }
    for (yaml, message) in [
        ("{type: fixed, shar: 1}", "f:1:1: error: s: there is no key shar\n    write share\n"),
        ("{type: fixed, share: x}", "f:1:1: error: s: \"x\" is no percentage\n    write 10%, 10 or 0.5%\n"),
        ("{type: fixd}", "f:1:2: error: s.type: \"fixd\" is not a choice here\n    write fixed\n"),
        ("{share: 1}", "f:1:1: error: s: type is missing\n    add type\n"),
    ] {
        assert_eq!(parse::<Sampler>(yaml, "f", "s").expect_err(yaml).to_string(), message);
    }
}

#[test]
fn a_block_s_defaults_are_those_that_hold_where_it_stands() {
    #[derive(Deserialize, serde::Serialize, Schema)]
    #[serde(default)]
    struct Inner {
        size: u64,
        name: Option<String>,
    }
    impl Default for Inner {
        fn default() -> Self {
            Self { size: 1, name: None }
        }
    }
    #[derive(Deserialize, Schema)]
    #[serde(default)]
    struct Outer {
        usual: Inner,
        larger: Inner,
        some: Option<Inner>,
    }
    impl Default for Outer {
        fn default() -> Self {
            Self { usual: Inner::default(), larger: Inner { size: 5, name: Some("x".to_owned()) }, some: None }
        }
    }
    let shown: Vec<String> = keys_of::<Outer>().iter().map(|key| format!("{} {} {}", key.name, key.kind, key.default)).collect();
    assert_eq!(
        shown,
        [
            "usual block {size: 1, name:}",
            "usual.size whole number 1",
            "usual.name text ",
            "larger block {size: 5, name: x}",
            "larger.size whole number 5",
            "larger.name text x",
            "some block ",
            "some.size whole number 1",
            "some.name text ",
        ]
    );
}

#[test]
fn keys_tell_themselves() {
    let shown: Vec<String> = keys_of::<Block>()
        .into_iter()
        .map(|key| format!("{} | {} | {} | {}{}", key.name, key.kind, key.default, key.doc, if key.required { " (required)" } else { "" }))
        .collect();
    assert_eq!(
        shown,
        [
            "decision_wait | duration | 30s | How long to wait for the rest of a trace.",
            "num_traces | whole number | 50000 | How many traces to hold.",
            "marks | true or false | false | Whether to mark what is kept.",
            "name | text | \"\" | A name.",
            "ratio | number | 0.5 | ",
            "mode | `keep` or `drop_all` | keep | How votes are combined.",
            "policies | list of block | [] | What decides.",
            "policies[].name | text |  | What it is called. (required)",
            "policies[].share | percentage | 100% | Its share.",
            "memory | size |  | ",
            "small | whole number | 1 | ",
        ]
    );
}

#[test]
fn keys_of_every_shared_type_have_a_word() {
    #[derive(Default, Deserialize, Schema)]
    #[serde(default)]
    struct Shared {
        endpoint: Option<Endpoint>,
        password: Secret,
        fields: OneOrMany<String>,
        globs: OneOrMany<Glob>,
        origins: CommaList,
        auth: Switch<Auth>,
        headers: BTreeMap<String, Secret>,
        version: Option<TlsVersion>,
        later: Planned,
    }
    let keys = keys_of::<Shared>();
    assert_eq!(
        keys_table(&keys),
        "\
| key | takes | default | what it does |
|---|---|---|---|
| `endpoint` | endpoint |  |  |
| `password` | secret |  |  |
| `fields` | list of text or text | `[]` |  |
| `globs` | list of glob or glob | `[]` |  |
| `origins` | list of text or text | `[]` |  |
| `auth` | true or false or block | `false` |  |
| `auth.authenticator` | text | `\"\"` | The id of the extension, as in `extensions`: `basicauth/clients`. |
| `auth.request_params` | list of text or text | `[]` | Query parameters of a request that the extension may look at, besides its headers. |
| `headers` | names to secret |  |  |
| `version` | `1.0` or `1.1` or `1.2` or `1.3` |  |  |
"
    );
}

/// What YAML is made of, and what our block is.
const WORDS: &[&str] = &[
    "a: ",
    "b: ",
    "policies: ",
    "num_traces: ",
    "name: ",
    "limits: ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "\n",
    "\n  ",
    "\n    ",
    "&a ",
    "*a",
    "<<: ",
    "~",
    "1e3",
    "'",
    "\"",
    "10s",
    "x",
    "\t",
    "# ",
    "|\n",
    "? ",
    "!!str ",
    "\u{feff}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// Whatever a file holds, it is read or refused with a word on why, and never in silence.
    #[test]
    fn any_text_is_read_or_refused(words in proptest::collection::vec(proptest::sample::select(WORDS), 0..24)) {
        let yaml = words.concat();
        if let Err(errors) = parse::<Block>(&yaml, "g.yaml", "p") {
            prop_assert!(errors.has_errors());
            prop_assert!(errors.iter().all(|problem| problem.place.is_some() && !problem.wrong.is_empty()));
        }
    }
}

#[test]
fn comments_may_be_long() {
    let yaml = format!("a: 1\n{}b:\n{}  c: 2\n", "# word\n".repeat(2_000), "  # word\n".repeat(2_000));
    assert!(load(&yaml, "f").expect("it is YAML").get("b").is_some());
}
