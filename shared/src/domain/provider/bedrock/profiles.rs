//! Which models can only be reached by an inference profile, and which profiles there are.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html>

/// A model that not every region has for itself.
struct Profile {
    /// What its id begins with.
    id: &'static str,
    /// The prefixes of its inference profiles.
    prefixes: &'static [&'static str],
    /// The regions that have it for themselves.
    here: &'static [&'static str],
}

impl Profile {
    const fn of(id: &'static str, prefixes: &'static [&'static str]) -> Self {
        Self {
            id,
            prefixes,
            here: &[],
        }
    }

    const fn here(mut self, regions: &'static [&'static str]) -> Self {
        self.here = regions;
        self
    }
}

const US: &[&str] = &["us."];
const US_EU: &[&str] = &["us.", "eu."];
const US_GLOBAL: &[&str] = &["us.", "global."];
const US_EU_APAC: &[&str] = &["us.", "eu.", "apac."];
const OLDER: &[&str] = &["us.", "eu.", "apac.", "us-gov."];
const EVERYWHERE: &[&str] = &["us.", "eu.", "apac.", "jp.", "au.", "us-gov.", "global."];
const NOVA_HERE: &[&str] = &["us-east-1", "us-gov-west-1"];

/// The first whose beginning fits counts.
const PROFILES: &[Profile] = &[
    Profile::of("anthropic.claude-3-5-haiku", US_EU).here(&["us-west-2"]),
    Profile::of("anthropic.claude-3-7-sonnet", OLDER),
    Profile::of("anthropic.claude-opus-4-2025", US),
    Profile::of("anthropic.claude-opus-4-1", US),
    Profile::of(
        "anthropic.claude-sonnet-4-2025",
        &["us.", "eu.", "apac.", "global."],
    ),
    Profile::of(
        "anthropic.claude-sonnet-4-5",
        &["us.", "eu.", "jp.", "au.", "us-gov.", "global."],
    ),
    Profile::of(
        "anthropic.claude-haiku-4-5",
        &["us.", "eu.", "jp.", "au.", "global."],
    ),
    Profile::of("anthropic.claude-opus-4-5", &["us.", "eu.", "global."]),
    Profile::of(
        "anthropic.claude-opus-4-6",
        &["us.", "eu.", "au.", "global."],
    ),
    Profile::of("anthropic.claude-mythos", US_GLOBAL),
    // Those of before have their regions for themselves.
    Profile::of("anthropic.claude-3-", &[]),
    Profile::of("anthropic.claude-v", &[]),
    Profile::of("anthropic.claude-instant", &[]),
    Profile::of("anthropic.claude-", EVERYWHERE),
    Profile::of(
        "amazon.nova-2-lite",
        &["us.", "eu.", "jp.", "apac.", "global."],
    ),
    Profile::of("amazon.nova-premier", US),
    Profile::of("amazon.nova-micro", US_EU_APAC).here(NOVA_HERE),
    Profile::of("amazon.nova-lite", US_EU_APAC).here(NOVA_HERE),
    Profile::of("amazon.nova-pro", US_EU_APAC).here(NOVA_HERE),
    Profile::of("meta.llama3-1-", US).here(&["us-west-2"]),
    Profile::of("meta.llama3-2-1b", US_EU),
    Profile::of("meta.llama3-2-3b", US_EU),
    Profile::of("meta.llama3-2-", US),
    Profile::of("meta.llama3-3-", US),
    Profile::of("meta.llama4-", US),
    Profile::of("mistral.pixtral-large", US_EU),
    Profile::of("deepseek.r1", US),
    Profile::of("openai.gpt-oss", &[]),
    Profile::of("openai.gpt-", US_GLOBAL),
    Profile::of("xai.grok-", US_GLOBAL),
    Profile::of("zai.glm-5.3", US_GLOBAL),
    Profile::of("writer.palmyra-x", US),
];

/// The prefix with which a model is reached from a region; `None` when it needs none.
pub(super) fn prefix(id: &str, region: &str) -> Option<&'static str> {
    let mut profiles = PROFILES.iter();
    let profile = profiles.find(|profile| id.starts_with(profile.id))?;
    if profile.here.contains(&region) {
        return None;
    }
    let near = near(region);
    let has = |prefix: &&&str| profile.prefixes.contains(*prefix);
    let found = near.iter().find(has).or_else(|| near.first());
    found.copied().filter(|_| !profile.prefixes.is_empty())
}

/// The prefixes with which a region reaches models: what stays nearest comes first.
fn near(region: &str) -> &'static [&'static str] {
    match region {
        "ap-northeast-1" | "ap-northeast-3" => &["jp.", "apac.", "global."],
        "ap-southeast-2" | "ap-southeast-4" => &["au.", "apac.", "global."],
        "ap-south-1" | "ap-south-2" => &["apac.", "in.", "global."],
        _ if region.starts_with("us-gov-") => &["us-gov."],
        _ if region.starts_with("us-") => &["us.", "global."],
        _ if region.starts_with("ca-") => &["us.", "ca.", "global."],
        _ if region.starts_with("eu-") => &["eu.", "global."],
        _ if region.starts_with("ap-") => &["apac.", "global."],
        _ => &["global."],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_a_region_has_needs_no_prefix() {
        assert_eq!(prefix("amazon.nova-lite-v1:0", "us-east-1"), None);
        assert_eq!(prefix("amazon.nova-lite-v1:0", "us-east-2"), Some("us."));
        assert_eq!(
            prefix("anthropic.claude-3-haiku-20240307-v1:0", "eu-west-1"),
            None
        );
        assert_eq!(prefix("qwen.qwen3-32b-v1:0", "eu-west-1"), None);
        assert_eq!(prefix("openai.gpt-oss-20b-1:0", "us-west-2"), None);
    }

    #[test]
    fn what_stays_nearest_comes_first() {
        let sonnet = "anthropic.claude-sonnet-4-5-20250929-v1:0";
        for (region, expected) in [
            ("us-west-2", "us."),
            ("us-gov-west-1", "us-gov."),
            ("ca-central-1", "us."),
            ("eu-north-1", "eu."),
            ("ap-northeast-3", "jp."),
            ("ap-southeast-2", "au."),
            ("ap-southeast-1", "global."),
            ("sa-east-1", "global."),
        ] {
            assert_eq!(prefix(sonnet, region), Some(expected), "{region}");
        }
        // It is nowhere near: Bedrock itself says so.
        assert_eq!(prefix("deepseek.r1-v1:0", "eu-west-1"), Some("eu."));
    }
}
