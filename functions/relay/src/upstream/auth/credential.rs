//! The members of a credential: what of it is secret, and texts without that.

use std::borrow::Cow;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

/// Members that anybody may see. All others are secret, whatever they are called.
const PUBLIC: [&str; 21] = [
    "access_key_id",
    "account",
    "account_id",
    "api_version",
    "auth_provider_x509_cert_url",
    "auth_uri",
    "client_email",
    "client_id",
    "client_x509_cert_url",
    "endpoint",
    "external_id",
    "location",
    "private_key_id",
    "project",
    "project_id",
    "region",
    "resource",
    "role_arn",
    "token_uri",
    "type",
    "universe_domain",
];
/// A secret shorter than this would be found in words that have nothing to do with it.
const SHORTEST: usize = 8;

/// A credential, opened. It does not print itself.
pub(super) struct Credential(Map<String, Value>);

impl Credential {
    pub(super) fn open(credential: &SecretString) -> Self {
        let members = serde_json::from_str(credential.expose_secret());
        Self(members.unwrap_or_default())
    }

    /// A member; `None` when it is missing or empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name)?.as_str()?;
        (!value.is_empty()).then_some(value)
    }

    /// A member that may be an object itself, as text.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        match self.0.get(name)? {
            Value::String(text) => Some(Cow::Borrowed(text.as_str())),
            other => Some(Cow::Owned(other.to_string())),
        }
    }

    fn secrets(&self) -> Vec<String> {
        let mut secrets = Vec::new();
        collect(&self.0, &mut secrets);
        secrets
    }
}

fn collect(members: &Map<String, Value>, secrets: &mut Vec<String>) {
    for (name, value) in members {
        match value {
            Value::Object(inner) => collect(inner, secrets),
            Value::String(text) => match serde_json::from_str(text) {
                // A key file is a credential of its own.
                Ok(Value::Object(inner)) => collect(&inner, secrets),
                _ if PUBLIC.contains(&name.as_str()) || text.is_empty() => {}
                _ => {
                    // As it is, and as JSON quotes it.
                    let quoted = Value::from(text.as_str()).to_string();
                    let quoted = quoted.trim_matches('"').to_owned();
                    if quoted != *text {
                        secrets.push(quoted);
                    }
                    secrets.push(text.clone());
                }
            },
            _ => {}
        }
    }
}

/// A text of a provider without the credential, should it have quoted it.
#[must_use]
pub fn without_credential(text: &str, credential: &SecretString) -> String {
    let secrets = Credential::open(credential).secrets().into_iter();
    let long = secrets.filter(|secret| secret.len() >= SHORTEST);
    long.fold(text.to_owned(), |text, secret| text.replace(&secret, "***"))
}

/// Whether some bytes of a provider do not quote the credential.
#[must_use]
pub fn is_free_of(bytes: &[u8], credential: &SecretString) -> bool {
    let secrets = Credential::open(credential).secrets();
    let mut found = secrets
        .iter()
        .map(|secret| memchr::memmem::find(bytes, secret.as_bytes()));
    found.all(|found| found.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(json: &str) -> SecretString {
        SecretString::from(json)
    }

    #[test]
    fn every_secret_member_is_taken_out() {
        let aws = credential(
            r#"{"region":"us-east-1","access_key_id":"AKIAEXAMPLE",
            "secret_access_key":"wJalrXUtnFEMI/K7","session_token":"IQoJb3JpZ2lu"}"#,
        );
        let text = "us-east-1 AKIAEXAMPLE wJalrXUtnFEMI/K7 IQoJb3JpZ2lu";
        assert_eq!(
            without_credential(text, &aws),
            "us-east-1 AKIAEXAMPLE *** ***"
        );
        assert!(!is_free_of(b"x IQoJb3JpZ2lu", &aws));
        assert!(is_free_of(b"us-east-1 AKIAEXAMPLE", &aws));
    }

    #[test]
    fn a_key_within_a_key_file_is_secret_however_it_is_quoted() {
        for file in [
            r#"{"service_account":"{\"private_key\":\"-----A\\nBCDEFG\\n\",\"client_email\":\"me@x\"}"}"#,
            r#"{"service_account":{"private_key":"-----A\nBCDEFG\n","client_email":"me@x"}}"#,
        ] {
            let google = credential(file);
            assert_eq!(
                without_credential("-----A\nBCDEFG\n me@x", &google),
                "*** me@x"
            );
            assert_eq!(without_credential(r"-----A\nBCDEFG\n", &google), "***");
            assert!(is_free_of(b"me@x", &google));
        }
    }

    #[test]
    fn no_credential_is_nothing() {
        for none in ["", "{}", "[]", r#"{"api_key":""}"#] {
            let none = credential(none);
            assert_eq!(without_credential("text", &none), "text");
            assert!(is_free_of(b"text", &none));
        }
    }
}
