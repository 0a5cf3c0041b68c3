//! The Collector's `tls:` blocks as data: what certificates and versions a connection shall use, before any of it is opened.

use serde::{Deserialize, Serialize};

use super::period::Period;
use super::secret::Secret;
use super::several::CommaList;
use crate::config::errors::ConfigErrors;
use crate::config::validate::{Planned, Validate};

/// A version of TLS. Older ones than 1.2 are known, so that they can be refused by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize, schemars::JsonSchema)]
pub enum TlsVersion {
    /// TLS 1.0
    #[serde(rename = "1.0")]
    V1_0,
    /// TLS 1.1
    #[serde(rename = "1.1")]
    V1_1,
    /// TLS 1.2
    #[serde(rename = "1.2")]
    V1_2,
    /// TLS 1.3
    #[serde(rename = "1.3")]
    V1_3,
}

macro_rules! tls_block {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, Deserialize, schemars::JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[$doc])* pub $field: $type,)*
            /// File with the certificates to trust, in PEM.
            pub ca_file: String,
            /// The same, written out here.
            pub ca_pem: String,
            /// Trust what the system trusts as well as `ca_file`.
            pub include_system_ca_certs_pool: bool,
            /// File with our own certificate, in PEM.
            pub cert_file: String,
            /// The same, written out here.
            pub cert_pem: String,
            /// File with the private key of our certificate, in PEM.
            pub key_file: String,
            /// The same, written out here.
            pub key_pem: Secret,
            /// Oldest version to speak; 1.2 unless set.
            pub min_version: Option<TlsVersion>,
            /// Newest version to speak; the newest there is unless set.
            pub max_version: Option<TlsVersion>,
            /// Names of the cipher suites of TLS 1.2 to offer; a safe choice unless set.
            pub cipher_suites: CommaList,
            /// Names of the curves to offer, in order of preference.
            pub curve_preferences: CommaList,
            /// After how long to read certificate and key again; 0s reads them once.
            pub reload_interval: Period,
            /// Planned: cipher suites that are known to be weak.
            pub include_insecure_cipher_suites: Planned,
            /// Planned: a private key that a TPM holds.
            pub tpm: Planned,
        }

        impl $name {
            fn validate_common(&self, errors: &mut ConfigErrors) {
                Common {
                    ca: Source { file: &self.ca_file, pem: !self.ca_pem.is_empty() },
                    cert: Source { file: &self.cert_file, pem: !self.cert_pem.is_empty() },
                    key: Source { file: &self.key_file, pem: !self.key_pem.is_empty() },
                    versions: (self.min_version, self.max_version),
                }
                .validate(errors);
                let weak = self.include_insecure_cipher_suites;
                errors.planned("include_insecure_cipher_suites", weak, "remove it: the suites it stands for are broken");
                errors.planned("tpm", self.tpm, "give the key as key_file");
            }
        }
    };
}

tls_block! {
    /// The `tls:` block of whoever connects: an exporter, an extension that asks somebody.
    ClientTls {
        /// Speak in the clear.
        insecure: bool,
        /// Accept whatever certificate is shown.
        insecure_skip_verify: bool,
        /// The name that must be on the certificate, where it is not the one that is dialled.
        server_name_override: String,
    }
}

tls_block! {
    /// The `tls:` block of whoever listens. It must have a certificate and its key.
    ServerTls {
        /// File with the certificates that clients must be signed by. Given, a client without one is refused.
        client_ca_file: String,
        /// Read `client_ca_file` again when it changes.
        client_ca_file_reload: bool,
    }
}

impl Validate for ClientTls {
    fn validate(&self, errors: &mut ConfigErrors) {
        self.validate_common(errors);
        if self.insecure && !self.ca_file.is_empty() {
            errors.warn("ca_file", "is not used, since insecure: true speaks in the clear", "remove insecure to use TLS");
        }
        if self.insecure_skip_verify && !self.insecure {
            errors.warn(
                "insecure_skip_verify",
                "accepts any certificate, so anybody on the way can read and change what is sent",
                "name the signer in ca_file, or the name on the certificate in server_name_override",
            );
        }
    }
}

impl Validate for ServerTls {
    fn validate(&self, errors: &mut ConfigErrors) {
        self.validate_common(errors);
        if self.cert_file.is_empty() && self.cert_pem.is_empty() && self.key_file.is_empty() && self.key_pem.is_empty() {
            errors
                .error_here("a server needs a certificate and its key", "add cert_file and key_file, or remove tls to listen in the clear");
        }
        if self.client_ca_file_reload && self.client_ca_file.is_empty() {
            errors.error("client_ca_file_reload", "there is no client_ca_file to read again", "add client_ca_file");
        }
    }
}

/// One piece of PEM, as a file or written out.
struct Source<'a> {
    file: &'a str,
    pem: bool,
}

impl Source<'_> {
    fn is_given(&self) -> bool {
        self.pem || !self.file.is_empty()
    }

    fn validate(&self, name: &str, errors: &mut ConfigErrors) {
        if self.pem && !self.file.is_empty() {
            errors.error(&format!("{name}_pem"), format!("{name}_file is given as well"), "keep one of the two");
        }
    }
}

struct Common<'a> {
    ca: Source<'a>,
    cert: Source<'a>,
    key: Source<'a>,
    versions: (Option<TlsVersion>, Option<TlsVersion>),
}

impl Common<'_> {
    fn validate(&self, errors: &mut ConfigErrors) {
        self.ca.validate("ca", errors);
        self.cert.validate("cert", errors);
        self.key.validate("key", errors);
        match (self.cert.is_given(), self.key.is_given()) {
            (true, false) => errors.error_here("a certificate without its key", "add key_file (or key_pem)"),
            (false, true) => errors.error_here("a key without its certificate", "add cert_file (or cert_pem)"),
            _ => {}
        }
        let (least, most) = self.versions;
        for (name, version) in [("min_version", least), ("max_version", most)] {
            if version.is_some_and(|version| version < TlsVersion::V1_2) {
                errors.error(name, "TLS 1.0 and 1.1 are broken and not spoken here", "write \"1.2\" or \"1.3\"");
            }
        }
        if let (Some(least), Some(most)) = (least, most)
            && least > most
        {
            errors.error("min_version", "is newer than max_version", "write a version that is not newer");
        }
    }
}
