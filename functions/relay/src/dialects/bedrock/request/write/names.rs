//! Names and ids within Bedrock's limits: changed the same way each time, and never two alike.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolUseBlock.html>

use std::collections::BTreeMap;

const LONGEST: usize = 64;

/// The provider's names of tools → the caller's, where they differ.
#[derive(Debug, Default)]
pub(super) struct Names(pub(super) BTreeMap<String, String>);

impl Names {
    /// The provider's name of a tool.
    pub(super) fn tool(&mut self, name: &str) -> String {
        let safe = safe(name, "_-");
        if safe != name {
            self.0.insert(safe.clone(), name.to_owned());
        }
        safe
    }
}

/// The provider's id of a call.
pub(super) fn id(id: &str) -> String {
    safe(id, "_.:-")
}

/// A name of letters, digits and some signs, of 64 at most. What is changed ends in a hash of what it
/// was.
fn safe(name: &str, signs: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || signs.contains(c);
    if !name.is_empty() && name.len() <= LONGEST && name.chars().all(allowed) {
        return name.to_owned();
    }
    let replaced = name.chars().map(|c| if allowed(c) { c } else { '_' });
    let kept: String = replaced.take(LONGEST - 9).collect();
    format!("{kept}_{:08x}", hash(name))
}

/// FNV-1a, which is the same on every machine and in every version.
fn hash(text: &str) -> u32 {
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    text.bytes().fold(0x811C_9DC5, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays_and_what_does_not_is_told_apart() {
        let mut names = Names::default();
        assert_eq!(names.tool("get_weather-2"), "get_weather-2");
        assert!(names.0.is_empty());
        let dotted = names.tool("mcp.files/read");
        assert!(dotted.starts_with("mcp_files_read_"), "{dotted}");
        assert_ne!(dotted, names.tool("mcp/files.read"));
        assert_eq!(dotted, names.tool("mcp.files/read"));
        assert_eq!(names.0[&dotted], "mcp.files/read");
        assert_eq!(names.tool(&"é".repeat(90)).len(), LONGEST);
    }

    #[test]
    fn ids_may_have_more_signs() {
        assert_eq!(id("functions.f:0"), "functions.f:0");
        let long = format!("call_x|{}", "a".repeat(90));
        assert_eq!(id(&long).len(), LONGEST);
        assert_eq!(id("").len(), 9);
    }
}
