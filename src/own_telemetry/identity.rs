//! What the gateway calls itself.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::keys::Resource;

/// The attributes of this process: the usual three, and what the configuration makes of them.
pub(crate) fn attributes(resource: &Resource) -> BTreeMap<String, String> {
    let usual = [
        ("service.name", env!("CARGO_PKG_NAME").to_owned()),
        ("service.version", env!("CARGO_PKG_VERSION").to_owned()),
        ("service.instance.id", instance().to_owned()),
    ];
    let mut attributes: BTreeMap<String, String> = usual.map(|(name, value)| (name.to_owned(), value)).into();
    for (name, value) in resource.attributes() {
        match value {
            Some(value) => attributes.insert(name.clone(), value.clone()),
            None => attributes.remove(name),
        };
    }
    attributes
}

/// One name for this process, the same in its log and its metrics: a random UUID.
fn instance() -> &'static str {
    static INSTANCE: OnceLock<String> = OnceLock::new();
    INSTANCE.get_or_init(|| {
        let random = (rand::random::<u128>() & !(0xf << 76) & !(0b11 << 62)) | (4 << 76) | (0b10 << 62);
        let hex = format!("{random:032x}");
        [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &hex[part]).join("-")
    })
}
