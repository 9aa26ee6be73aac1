//! Amazon Bedrock: many houses' models behind one door, and the names under which they stand there.
//!
//! The credential may be a region alone: the process's own role is used then, and nothing is secret.

mod names;
mod profiles;

use std::borrow::Cow;

use super::card::{Auth, CredentialField, Envelope, Provider, Tongue};
use crate::domain::dialect::Dialect;

pub(super) const BEDROCK: Provider = Provider {
    name: "bedrock",
    label: "Amazon Bedrock",
    base_url: Some("https://bedrock-runtime.{region}.amazonaws.com"),
    // Callers of other dialects are converted to the first.
    speaks: &[
        Tongue::of(Dialect::Bedrock),
        Tongue::of(Dialect::Anthropic)
            .for_models(&["*claude*"])
            .in_envelope(Envelope::BedrockInvoke),
        Tongue::of(Dialect::TitanEmbeddings).for_models(&["*amazon.titan-embed*"]),
        Tongue::of(Dialect::CohereEmbeddings).for_models(&["*cohere.embed*"]),
        Tongue::of(Dialect::NovaEmbeddings).for_models(&["*amazon.nova*embed*"]),
    ],
    auth: Auth::Aws,
    credential: &[
        CredentialField::required("region", "Region, such as us-east-1"),
        CredentialField::optional("role_arn", "ARN of a role to assume"),
        CredentialField::optional("external_id", "External id of that role"),
        CredentialField::optional("access_key_id", "Access key id"),
        CredentialField::optional("secret_access_key", "Secret access key"),
        CredentialField::optional("session_token", "Session token"),
        CredentialField::optional("api_key", "Bedrock API key"),
    ],
    names: names::NAMES,
    quirks: &[],
    docs: "https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference.html",
};

/// What ids of inference profiles begin with: where a call may be answered.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html>
const PREFIXES: [&str; 11] = [
    "us-gov.", "us.", "eu.", "apac.", "jp.", "au.", "ca.", "sa.", "in.", "mx.", "global.",
];

/// Bedrock's id of a model, for calls from a region.
///
/// `name` is a friendly name or an id, with or without the prefix of an inference profile. What is
/// complete stays as it is: ids with a prefix, and ARNs. A model that can only be reached by an
/// inference profile from there gets the region's.
#[must_use]
pub fn model_id<'a>(name: &'a str, region: &str) -> Cow<'a, str> {
    if name.starts_with("arn:") {
        return Cow::Borrowed(name);
    }
    let bare = without_prefix(name);
    let id = names::id(bare).unwrap_or(bare);
    if bare.len() < name.len() {
        let prefix = name.strip_suffix(bare).unwrap_or_default();
        return if id == bare {
            Cow::Borrowed(name)
        } else {
            Cow::Owned(format!("{prefix}{id}"))
        };
    }
    match profiles::prefix(id, region) {
        Some(prefix) => Cow::Owned(format!("{prefix}{id}")),
        None if id == name => Cow::Borrowed(name),
        None => Cow::Owned(id.to_owned()),
    }
}

/// A model's own id, without the prefix of an inference profile.
#[must_use]
pub fn without_prefix(id: &str) -> &str {
    let mut prefixes = PREFIXES.iter();
    prefixes
        .find_map(|prefix| id.strip_prefix(prefix))
        .unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is(name: &str, region: &str, expected: &str) {
        assert_eq!(model_id(name, region), expected, "{name} in {region}");
    }

    #[test]
    fn friendly_names_become_ids_that_can_be_reached() {
        is(
            "claude-sonnet-4-5",
            "us-east-1",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        );
        is(
            "claude-sonnet-4-5-20250929",
            "eu-central-1",
            "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
        );
        is(
            "claude-haiku-4-5",
            "ap-northeast-1",
            "jp.anthropic.claude-haiku-4-5-20251001-v1:0",
        );
        is(
            "claude-haiku-4-5",
            "ap-southeast-2",
            "au.anthropic.claude-haiku-4-5-20251001-v1:0",
        );
        is(
            "claude-opus-4-5",
            "ap-south-1",
            "global.anthropic.claude-opus-4-5-20251101-v1:0",
        );
        is("nova-pro", "eu-west-1", "eu.amazon.nova-pro-v1:0");
        is("nova-pro", "us-east-1", "amazon.nova-pro-v1:0");
        is("deepseek-r1", "us-west-2", "us.deepseek.r1-v1:0");
        is("gpt-oss-120b", "us-west-2", "openai.gpt-oss-120b-1:0");
        is(
            "claude-3-haiku-20240307",
            "us-west-2",
            "anthropic.claude-3-haiku-20240307-v1:0",
        );
    }

    #[test]
    fn a_prefix_is_kept_and_never_doubled() {
        is(
            "us.claude-sonnet-4-5-20250929",
            "eu-west-1",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        );
        is(
            "global.claude-opus-4-5",
            "us-east-1",
            "global.anthropic.claude-opus-4-5-20251101-v1:0",
        );
        for id in [
            "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "apac.amazon.nova-lite-v1:0",
            "ca.some.model-v1:0",
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc",
        ] {
            is(id, "us-east-1", id);
        }
    }

    #[test]
    fn what_is_not_known_stays() {
        is("acme.brand-new-v1:0", "us-east-1", "acme.brand-new-v1:0");
        is("my-model", "us-east-1", "my-model");
        // New Claudes have come with profiles only for years.
        is(
            "anthropic.claude-opus-9",
            "us-east-2",
            "us.anthropic.claude-opus-9",
        );
        is(
            "anthropic.claude-opus-9",
            "sa-east-1",
            "global.anthropic.claude-opus-9",
        );
    }

    #[test]
    fn every_name_leads_to_an_id() {
        for (name, id) in names::NAMES {
            assert!(id.contains('.'), "{name} leads to {id}");
            assert_eq!(without_prefix(id), *id, "{name} has a prefix");
            assert_eq!(names::id(name), Some(*id), "{name} stands twice");
        }
    }
}
