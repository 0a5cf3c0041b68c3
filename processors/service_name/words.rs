//! Names taken apart into words, and put together again in one spelling.

use super::Case;

/// The name in a spelling.
pub(super) fn spelled(name: &str, case: Case) -> String {
    match case {
        Case::Keep => name.to_owned(),
        Case::Lower => name.to_lowercase(),
        Case::Kebab => joined(name, '-'),
        Case::Snake => joined(name, '_'),
    }
}

/// A new word begins at a capital letter behind a small one or a digit (`userAuth`), and at the last of several capital letters where a small one
/// follows (`HTTPServer`). A digit belongs to the word before it. What is neither letter, digit nor one of the separators stays where it is: in
/// `com.shop.CartService` only the end has two words.
fn joined(name: &str, separator: char) -> String {
    let letters: Vec<char> = name.trim_matches(is_separator).chars().collect();
    let mut out = String::with_capacity(name.len() + 4);
    for (place, &letter) in letters.iter().enumerate() {
        if is_separator(letter) {
            if !out.ends_with(separator) {
                out.push(separator);
            }
            continue;
        }
        let (before, after) = (place.checked_sub(1).map(|before| letters[before]), letters.get(place + 1));
        let begins = letter.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase() || before.is_numeric() || before.is_uppercase() && after.is_some_and(|after| after.is_lowercase())
            });
        if begins {
            out.push(separator);
        }
        out.extend(letter.to_lowercase());
    }
    out
}

fn is_separator(letter: char) -> bool {
    letter == '-' || letter == '_' || letter.is_whitespace()
}

/// What names have in common that differ only by case or punctuation.
pub(super) fn folded(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_begin_where_a_reader_sees_one() {
        for (name, kebab) in [
            ("UserAuthService", "user-auth-service"),
            ("HTTPServer", "http-server"),
            ("user2auth", "user2auth"),
            ("user2Auth", "user2-auth"),
            ("S3Bucket", "s3-bucket"),
            ("api_gateway", "api-gateway"),
            ("api gateway", "api-gateway"),
            ("API_Gateway", "api-gateway"),
            ("cart--service_", "cart-service"),
            ("com.shop.CartService", "com.shop.cart-service"),
            ("ÜberService", "über-service"),
            ("σοφίαΣ", "σοφία-σ"),
            ("сервисКорзина", "сервис-корзина"),
            ("購物車", "購物車"),
            ("iOSApp", "i-os-app"),
            ("", ""),
            ("-", ""),
            ("A", "a"),
        ] {
            assert_eq!(spelled(name, Case::Kebab), kebab, "{name}");
            assert_eq!(spelled(kebab, Case::Kebab), kebab, "{name} again");
            assert_eq!(spelled(name, Case::Snake), kebab.replace('-', "_"), "{name}");
        }
        assert_eq!(spelled("User-Auth", Case::Lower), "user-auth");
        assert_eq!(spelled("User-Auth", Case::Keep), "User-Auth");
    }

    #[test]
    fn what_differs_by_case_and_punctuation_is_the_same_folded() {
        for name in ["user-auth", "UserAuth", "user_auth", "USER.AUTH"] {
            assert_eq!(folded(name), "userauth");
        }
    }
}
