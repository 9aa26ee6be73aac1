//! Credentials: checked against the provider's card, and never given back.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use shared::domain::provider::Provider;
use shared::domain::provider::card::{Auth, CredentialField};
use shared::failure::Failure;

/// A credential as it arrives: a string, or an object of the fields that the card names.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct Credential(Value);

/// Reads a credential (or that there is none) as the text that is to be sealed: a JSON object of the
/// card's fields. `None` when nothing is given and nothing is needed.
pub(super) fn read(
    card: &Provider,
    base_url: Option<&str>,
    given: Option<Credential>,
) -> Result<Option<SecretString>, Failure> {
    let fields = match given.map(|Credential(value)| value) {
        None | Some(Value::Null) => BTreeMap::new(),
        Some(Value::String(text)) => first_field(card, &text)?,
        Some(Value::Object(members)) => {
            let named = members
                .into_iter()
                .map(|(name, value)| named_field(card, name, &value));
            let named: Vec<Option<(String, String)>> = named.collect::<Result<_, _>>()?;
            named.into_iter().flatten().collect()
        }
        Some(_) => {
            let text = "A credential is a string, or an object of strings.";
            return Err(Failure::bad_field("credential", text));
        }
    };
    for field in card.credential.iter().filter(|field| field.required) {
        if is_for_address(card, base_url, field) {
            continue;
        }
        if !fields.contains_key(field.name) {
            let text = format!("{} needs this: {}.", card.label, field.label);
            return Err(wrong(field.name, text));
        }
    }
    if fields.is_empty() {
        return Ok(None);
    }
    let text = serde_json::to_string(&fields).map_err(Failure::internal)?;
    Ok(Some(SecretString::from(text)))
}

/// Whether a field only completes an address that the channel does not use: it has one of its own.
fn is_for_address(card: &Provider, base_url: Option<&str>, field: &CredentialField) -> bool {
    let name = format!("{{{}}}", field.name);
    let filled = card.base_url.is_some_and(|url| url.contains(&name));
    let signs = matches!(card.auth, Auth::Aws | Auth::Google);
    filled && base_url.is_some() && !signs
}

/// A plain string is the first of the card's fields.
fn first_field(card: &Provider, text: &str) -> Result<BTreeMap<String, String>, Failure> {
    match card.credential.first() {
        _ if text.trim().is_empty() => Ok(BTreeMap::new()),
        Some(field) => {
            let text = read_text(field, "credential", text)?;
            Ok(BTreeMap::from([(field.name.to_owned(), text)]))
        }
        None => {
            let text = format!("{} takes no credential.", card.label);
            Err(Failure::bad_field("credential", text))
        }
    }
}

fn named_field(
    card: &Provider,
    name: String,
    value: &Value,
) -> Result<Option<(String, String)>, Failure> {
    let Some(field) = card.credential.iter().find(|field| field.name == name) else {
        let text = format!("{} has no such credential.", card.label);
        return Err(wrong(&name, text));
    };
    let path = format!("credential.{name}");
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => read_text(field, &path, text)?,
        Value::Object(_) if field.is_key_file() => key_file(&path, value)?,
        _ => return Err(wrong(&name, "A string is expected.".to_owned())),
    };
    Ok((!text.is_empty()).then_some((name, text)))
}

fn read_text(field: &CredentialField, path: &str, text: &str) -> Result<String, Failure> {
    if field.is_key_file() && !text.trim().is_empty() {
        let file = serde_json::from_str(text).unwrap_or_default();
        return key_file(path, &file);
    }
    clean(path, text)
}

/// A service account's key file, on one line. It is the whole file, so that nobody has to know which
/// of its members are needed.
fn key_file(path: &str, file: &Value) -> Result<String, Failure> {
    let has = |member: &str| file.get(member).is_some_and(Value::is_string);
    if has("client_email") && has("private_key") {
        return Ok(file.to_string());
    }
    let problem = "The JSON key file of a service account is expected: the whole of it, with \
                   client_email and private_key. No other kind of Google credential will do.";
    Err(Failure::bad_field(path.to_owned(), problem))
}

/// Without the blanks and line ends that come along when a text is copied. Inside, control characters
/// would break the header that the credential travels in.
fn clean(field: &str, text: &str) -> Result<String, Failure> {
    let text = text.trim();
    if text.chars().any(char::is_control) {
        let problem = "It contains line breaks or other control characters.";
        return Err(Failure::bad_field(field.to_owned(), problem));
    }
    Ok(text.to_owned())
}

fn wrong(name: &str, text: String) -> Failure {
    Failure::bad_field(format!("credential.{name}"), text)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use serde_json::json;
    use shared::domain::provider;

    use super::*;

    fn read_for(name: &str, value: Value) -> Result<Option<String>, String> {
        let card = provider::find(name).unwrap();
        let text = read(card, None, Some(Credential(value)));
        text.map(|text| text.map(|text| text.expose_secret().to_owned()))
            .map_err(|failure| failure.field.unwrap().into_owned())
    }

    #[test]
    fn a_credential_has_the_fields_of_its_card() {
        let key = || Ok(Some(r#"{"api_key":"sk-1"}"#.to_owned()));
        let field = |name: &str| Err(name.to_owned());
        for (provider, value, expected) in [
            ("openai", json!(" sk-1\n"), key()),
            ("openai", json!({"api_key": "sk-1"}), key()),
            ("openai", json!(""), field("credential.api_key")),
            ("openai", json!({}), field("credential.api_key")),
            ("openai", json!({"api_key": 1}), field("credential.api_key")),
            (
                "openai",
                json!({"api_key": "a\nb"}),
                field("credential.api_key"),
            ),
            (
                "openai",
                json!({"api_key": "a", "region": "x"}),
                field("credential.region"),
            ),
            ("openai", json!(7), field("credential")),
            ("openai-compatible", json!(null), Ok(None)),
            ("openai-compatible", json!(""), Ok(None)),
            ("demo", json!("x"), field("credential")),
            ("demo", json!(null), Ok(None)),
        ] {
            assert_eq!(
                read_for(provider, value.clone()),
                expected,
                "{provider} {value}"
            );
        }
    }

    #[test]
    fn a_key_file_may_be_given_in_any_shape() {
        let file =
            json!({"client_email": "a@b", "private_key": "-----BEGIN\nx", "project_id": "p"});
        let lines = serde_json::to_string_pretty(&file).unwrap();
        let whole =
            |file: Value| read_for("vertex", json!({"location": "eu", "service_account": file}));
        let expected = json!({"location": "eu", "service_account": file.to_string()}).to_string();
        assert_eq!(whole(json!(lines)), Ok(Some(expected.clone())));
        assert_eq!(whole(file), Ok(Some(expected)));
        let field = Err("credential.service_account".to_owned());
        for no_file in [
            json!("sk-1"),
            json!({"type": "authorized_user"}),
            json!(""),
            json!(7),
        ] {
            assert_eq!(whole(no_file.clone()), field, "{no_file}");
        }
        // The location is missing: the address of Vertex AI needs it.
        assert_eq!(
            read_for("vertex", json!(lines)),
            Err("credential.location".to_owned())
        );
        assert_eq!(
            read_for("cloudflare", json!("token")),
            Err("credential.account_id".to_owned())
        );
    }
}
