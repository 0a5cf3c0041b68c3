//! Secrets made up for tests: every kind by rules of its own, so that nothing here can share a mistake with the detectors.

use tracetailor_core::testing::Dice;

/// A secret, and the text that it is planted in: some are told only by the words before them.
pub(super) struct Planted {
    pub(super) kind: &'static str,
    pub(super) text: String,
    pub(super) secret: String,
}

const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const DIGITS: &str = "0123456789";
const HEX: &str = "0123456789abcdef";

fn letters(dice: &mut Dice, alphabet: &str, count: usize) -> String {
    let alphabet: Vec<char> = alphabet.chars().collect();
    (0..count).map(|_| alphabet[dice.below(alphabet.len())]).collect()
}

fn mixed(dice: &mut Dice, count: usize) -> String {
    // A digit at least, as every issuer's keys have in practice.
    letters(dice, &format!("{UPPER}{LOWER}{DIGITS}"), count - 2) + &letters(dice, DIGITS, 2)
}

/// A card's number: a beginning, digits, and the digit that makes the sum right.
fn card(dice: &mut Dice, beginning: &str, length: usize) -> String {
    let body = beginning.to_owned() + &letters(dice, DIGITS, length - beginning.len() - 1);
    let right = |last: char| {
        let mut sum = 0;
        let mut doubles = false;
        for digit in format!("{body}{last}").chars().rev().map(|digit| digit as u32 - 48) {
            let value = if doubles { digit * 2 } else { digit };
            sum += value / 10 + value % 10;
            doubles = !doubles;
        }
        sum % 10 == 0
    };
    let last = DIGITS.chars().find(|last| right(*last)).unwrap();
    format!("{body}{last}")
}

fn grouped(number: &str, groups: &[usize], separator: &str) -> String {
    let mut rest = number;
    let mut parts = Vec::new();
    for group in groups {
        let (part, behind) = rest.split_at(*group);
        parts.push(part);
        rest = behind;
    }
    parts.join(separator)
}

/// An account's number: the two digits behind the country make it 1 by 97.
fn iban(dice: &mut Dice, country: &str, account: &str) -> String {
    let account: String = account
        .chars()
        .map(|form| match form {
            '9' => letters(dice, DIGITS, 1),
            _ => letters(dice, UPPER, 1),
        })
        .collect();
    let number: String = format!("{account}{country}00").chars().map(|letter| letter.to_digit(36).unwrap().to_string()).collect();
    let rest = number.bytes().fold(0u64, |rest, digit| (rest * 10 + u64::from(digit - b'0')) % 97);
    format!("{country}{:02}{account}", 98 - rest)
}

fn base64(text: &str) -> String {
    super::dress::base64(text.as_bytes(), false, true)
}

fn part(json: &str) -> String {
    super::dress::base64(json.as_bytes(), true, false)
}

/// One of every kind.
pub(super) fn all(dice: &mut Dice) -> Vec<Planted> {
    let mut all = Vec::new();
    let mut add = |kind, text: String, secret: &str| all.push(Planted { kind, text, secret: secret.to_owned() });
    let mut plain = Vec::new();
    money(dice, &mut plain);
    people(dice, &mut plain);
    machines(dice, &mut plain);
    for (kind, secret) in plain {
        add(kind, secret.clone(), &secret);
    }
    told_by_words(dice, &mut add);
    all
}

fn money(dice: &mut Dice, plain: &mut Vec<(&'static str, String)>) {
    for (kind, beginning, length) in [
        ("visa", "4", 16),
        ("short visa", "4", 13),
        ("mastercard", "53", 16),
        ("new mastercard", "2300", 16),
        ("amex", "37", 15),
        ("discover", "6011", 16),
        ("diners", "36", 14),
        ("jcb", "3530", 16),
        ("unionpay", "62", 16),
        ("maestro", "6759", 16),
    ] {
        plain.push((kind, card(dice, beginning, length)));
    }
    plain.push(("visa with dashes", grouped(&card(dice, "4", 16), &[4, 4, 4, 4], "-")));
    plain.push(("visa with spaces", grouped(&card(dice, "4", 16), &[4, 4, 4, 4], " ")));
    plain.push(("amex with spaces", grouped(&card(dice, "34", 15), &[4, 6, 5], " ")));
    plain.push(("german account", iban(dice, "DE", "999999999999999999")));
    plain.push(("british account", iban(dice, "GB", "AAAA99999999999999")));
    plain.push(("french account", iban(dice, "FR", "99999999999999999999999")));
    plain.push(("spaced account", grouped(&iban(dice, "NL", "AAAA9999999999"), &[4, 4, 4, 4, 2], " ")));
}

fn people(dice: &mut Dice, plain: &mut Vec<(&'static str, String)>) {
    let name = letters(dice, LOWER, 7);
    plain.push(("mail", format!("{name}@example.com")));
    plain.push(("mail with a tag", format!("{name}+{}@mail.example.co.uk", letters(dice, LOWER, 4))));
    plain.push(("mail in capitals", format!("{}.{}@EXAMPLE.ORG", letters(dice, UPPER, 5), letters(dice, UPPER, 6))));
    plain.push(("phone", format!("+49{}", 1_512_345_670 + dice.below(9))));
    plain.push(("spaced phone", format!("+44 20 7946 0{}", letters(dice, DIGITS, 3))));
    plain.push(("american phone", format!("415-555-{}", letters(dice, DIGITS, 4))));
    plain.push(("american phone with brackets", format!("(415) 555-{}", letters(dice, DIGITS, 4))));
    plain.push(("ssn", format!("{}-{}-{}", dice.between(100, 600), dice.between(10, 99), dice.between(1000, 9999))));
    plain.push(("address", format!("203.0.113.{}", dice.between(1, 250))));
    plain.push(("private address", format!("10.17.{}.{}", dice.between(1, 250), dice.between(1, 250))));
    plain.push(("long address", format!("2001:db8:{}:1:1:1:1:{}", letters(dice, "123456789", 3), letters(dice, "123456789", 4))));
    plain.push(("short address", format!("2001:db8::{}:{}", letters(dice, "123456789", 4), letters(dice, "123456789", 4))));
    let pairs: Vec<String> = (0..6).map(|_| letters(dice, HEX, 2)).collect();
    plain.push(("network card", pairs.join(":")));
    plain.push(("network card with dashes", pairs.join("-").to_uppercase()));
}

fn machines(dice: &mut Dice, plain: &mut Vec<(&'static str, String)>) {
    let url_safe = &format!("{UPPER}{LOWER}{DIGITS}-_");
    let claims = format!("{{\"sub\":\"{}\"}}", mixed(dice, 12));
    plain.push(("jwt", format!("{}.{}.{}", part("{\"alg\":\"HS256\"}"), part(&claims), letters(dice, url_safe, 43))));
    plain.push(("aws id", format!("AKIA{}", letters(dice, &format!("{UPPER}234567"), 16))));
    plain.push(("temporary aws id", format!("ASIA{}", letters(dice, &format!("{UPPER}234567"), 16))));
    plain.push(("google key", format!("AIza{}", letters(dice, url_safe, 35))));
    plain.push(("google token", format!("ya29.{}", letters(dice, url_safe, 40))));
    plain.push(("github token", format!("ghp_{}", mixed(dice, 36))));
    plain.push(("new github token", format!("github_pat_{}_{}", mixed(dice, 22), mixed(dice, 59))));
    plain.push(("gitlab token", format!("glpat-{}", mixed(dice, 20))));
    plain.push(("slack token", format!("xoxb-{}-{}", letters(dice, DIGITS, 12), mixed(dice, 24))));
    plain.push(("stripe key", format!("sk_live_{}", mixed(dice, 24))));
    plain.push(("stripe webhook", format!("whsec_{}", mixed(dice, 32))));
    plain.push(("openai key", format!("sk-proj-{}", mixed(dice, 40))));
    plain.push(("anthropic key", format!("sk-ant-api03-{}", mixed(dice, 40))));
    let lines: Vec<String> = (0..3).map(|_| mixed(dice, 64)).collect();
    plain.push(("private key", format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----", lines.join("\n"))));
}

fn told_by_words(dice: &mut Dice, add: &mut impl FnMut(&'static str, String, &str)) {
    let token = mixed(dice, 32);
    add("bearer", format!("Authorization: Bearer {token}"), &token);
    let basic = base64(&format!("joe:{}", mixed(dice, 12)));
    add("basic", format!("Authorization: Basic {basic}"), &basic);
    let session = mixed(dice, 24);
    add("cookie", format!("Cookie: theme=dark; session={session}"), &session);
    add("set-cookie", format!("Set-Cookie: session={session}; HttpOnly"), &session);
    let key = mixed(dice, 40);
    add("aws secret", format!("aws_secret_access_key={key}"), &key);
    let key = mixed(dice, 86) + "==";
    add("azure key", format!("DefaultEndpointsProtocol=https;AccountName=shop;AccountKey={key}"), &key);
    let password = mixed(dice, 14);
    add("password", format!("Server=db;User Id=sa;Password={password};Encrypt=true"), &password);
    add("userinfo", format!("postgres://app:{password}@db.shop:5432/shop"), &password);
    let signature = letters(dice, HEX, 64);
    add("signature", format!("https://files.shop/a.pdf?X-Amz-Expires=60&X-Amz-Signature={signature}"), &signature);
    let path = format!("T{}/B{}/{}", letters(dice, UPPER, 8), letters(dice, UPPER, 8), mixed(dice, 24));
    add("slack webhook", format!("https://hooks.slack.com/services/{path}"), &path);
}
