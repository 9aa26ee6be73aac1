//! The law of the house, read from the sources: which room may use which, and what stands nowhere.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file: its path from the root, and its lines above the tests.
struct Source {
    path: String,
    lines: Vec<String>,
}

/// Tests run in their package's folder. A path of the machine that built them may be gone.
fn root() -> PathBuf {
    PathBuf::from("..")
}

/// Every source file of the product.
fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    for room in ["shared/src", "functions", "local/src"] {
        collect(&root().join(room), &mut found);
    }
    assert!(found.len() > 100, "the sources are not where they were");
    found
}

fn collect(folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().unwrap() != "tests" && path.file_name().unwrap() != "target" {
                collect(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let body = text.split("#[cfg(test)]\nmod tests").next().unwrap();
            let path = path.strip_prefix(root()).unwrap().display().to_string();
            found.push(Source {
                path,
                lines: body.lines().map(str::to_owned).collect(),
            });
        }
    }
}

/// The lines of code that hold one of the words, where they must not.
fn breaches(sources: &[Source], concerned: impl Fn(&str) -> bool, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| concerned(&source.path)) {
        for (number, line) in source.lines.iter().enumerate() {
            let code = line.trim_start();
            if !code.starts_with("//") && words.iter().any(|word| code.contains(word)) {
                found.push(format!("{}:{}: {code}", source.path, number + 1));
            }
        }
    }
    found
}

#[track_caller]
fn must_be_empty(found: &[String], rule: &str) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

/// A rule: where it holds, which words break it, and why it is one.
struct Rule {
    room: &'static str,
    except: &'static [&'static str],
    words: &'static [&'static str],
    reason: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        room: "shared/src/domain/",
        except: &[],
        words: &[
            "async ",
            "tokio",
            "aws_",
            "reqwest",
            "std::env",
            "crate::store",
            "crate::clock",
            "crate::random",
            "crate::failure",
        ],
        reason: "the domain is pure: values and arithmetic only",
    },
    Rule {
        room: "functions/relay/src/dialects/",
        // What is in a frame is read by a crate of the SDK's, as pure as the rest.
        except: &["functions/relay/src/dialects/frame.rs"],
        words: &[
            "async ",
            "tokio",
            "aws_",
            "reqwest",
            "std::env",
            "crate::app",
            "crate::upstream",
            "crate::pipeline",
            "shared::store",
            "shared::clock",
        ],
        reason: "dialects are pure: bytes in, bytes out",
    },
    Rule {
        room: "functions/relay/src/upstream/",
        except: &[],
        words: &[
            "crate::dialects",
            "crate::pipeline",
            "crate::app",
            "shared::store",
        ],
        reason: "the room with sockets knows no language and no books",
    },
    Rule {
        room: "functions/relay/src/pipeline/",
        except: &[],
        words: &[
            "crate::endpoints",
            "crate::router",
            "axum::routing",
            "reqwest::",
        ],
        reason: "the journey does not know its doors, and opens no connection itself",
    },
    Rule {
        room: "functions/relay/src/endpoints/",
        except: &[],
        words: &["crate::upstream", "shared::store"],
        reason: "an endpoint hands over to the pipeline",
    },
    Rule {
        room: "functions/admin/src/",
        except: &[
            "functions/admin/src/relay_probe.rs",
            "functions/admin/src/price_source.rs",
        ],
        words: &["reqwest"],
        reason: "the admin never speaks to a provider: one file asks the relay, one fetches price maps",
    },
    Rule {
        room: "functions/maintenance/src/",
        except: &[],
        words: &["reqwest", "axum"],
        reason: "maintenance speaks to nobody but the store",
    },
    Rule {
        room: "functions/relay/src/",
        except: &[],
        words: &["admin::", "maintenance::", "local::"],
        reason: "no function imports another",
    },
    Rule {
        room: "functions/admin/src/",
        except: &[],
        words: &["use relay::", "maintenance::", "local::"],
        reason: "no function imports another",
    },
    Rule {
        room: "functions/maintenance/src/",
        except: &[],
        words: &["relay::", "admin::", "local::"],
        reason: "no function imports another",
    },
    Rule {
        room: "",
        except: &[
            "shared/src/store/",
            "shared/src/aws.rs",
            "local/src/engine.rs",
            "local/src/start.rs",
        ],
        words: &["aws_sdk_dynamodb"],
        reason: "only the store knows DynamoDB; what makes its client may name it",
    },
    Rule {
        room: "",
        except: &["shared/src/store/schema.rs", "shared/src/store/wallets.rs"],
        words: &["\"KEY#", "\"USER#", "\"WALLET#", "\"USAGE#", "\"CHANNEL#"],
        reason: "only the schema spells keys; wallets read theirs back",
    },
    Rule {
        room: "",
        except: &["shared/src/env.rs"],
        words: &["std::env::var", "env::vars("],
        reason: "only env.rs reads the environment",
    },
    Rule {
        room: "",
        except: &["shared/src/clock.rs"],
        words: &["Timestamp::now", "SystemTime::now", "Zoned::now"],
        reason: "only clock.rs asks for the time",
    },
    Rule {
        room: "shared/src/failure.rs",
        except: &[],
        words: &["crate::", "tracing"],
        reason: "saying no depends on nothing of ours",
    },
];

#[test]
fn every_room_keeps_to_its_arrows() {
    let sources = sources();
    for rule in RULES {
        let concerned = |path: &str| {
            path.starts_with(rule.room) && !rule.except.iter().any(|free| path.starts_with(free))
        };
        must_be_empty(&breaches(&sources, concerned, rule.words), rule.reason);
    }
}

/// A dialect knows the neutral form, and no other dialect.
#[test]
fn one_dialect_never_knows_another() {
    const DIALECTS: &[&str] = &[
        "anthropic",
        "bedrock",
        "cohere",
        "gemini",
        "openai_chat",
        "openai_completions",
        "openai_responses",
    ];
    let (sources, mut found) = (sources(), Vec::new());
    for dialect in DIALECTS {
        let room = format!("functions/relay/src/dialects/{dialect}/");
        assert!(root().join(&room).exists(), "{room} is not there");
        let others = DIALECTS.iter().filter(|other| *other != dialect);
        let words: Vec<String> = others
            .flat_map(|other| [format!("dialects::{other}"), format!("super::{other}")])
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        found.extend(breaches(&sources, |path| path.starts_with(&room), &words));
    }
    must_be_empty(&found, "a dialect knows the neutral form, and no other one");
}

#[test]
fn a_breach_would_be_found() {
    let planted = [Source {
        path: "shared/src/domain/money.rs".to_owned(),
        lines: vec![
            "// tokio in a comment".to_owned(),
            "use tokio::sync::Mutex;".to_owned(),
        ],
    }];
    let found = breaches(
        &planted,
        |path| path.starts_with("shared/src/domain/"),
        RULES[0].words,
    );
    assert_eq!(
        found,
        ["shared/src/domain/money.rs:2: use tokio::sync::Mutex;"]
    );
}

/// A pipeline step knows those before it, never those after it.
#[test]
fn no_step_knows_the_steps_after_it() {
    const ORDER: &[&str] = &[
        "refusal",
        "retry_after",
        "setback",
        "authenticate",
        "body",
        "route",
        "hold",
        "admit",
        "interpret",
        "fetch",
        "translate",
        "listen",
        "send",
        "speech",
        "late",
        "settle",
        "stream",
        "count",
        "embed",
    ];
    let mut found = Vec::new();
    for (at, step) in ORDER.iter().enumerate() {
        let path = format!("functions/relay/src/pipeline/{step}.rs");
        let words: Vec<String> = ORDER[at + 1..]
            .iter()
            .map(|later| format!("super::{later}"))
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert!(root().join(&path).exists(), "{path} is not there");
        found.extend(breaches(&sources(), |file| file == path, &words));
    }
    must_be_empty(
        &found,
        "a step knows the values made before it, never the steps after it",
    );
}

/// One endpoint, job or admin noun never imports another.
#[test]
fn siblings_do_not_know_each_other() {
    let mut found = Vec::new();
    for source in sources() {
        let Some(rest) = source.path.strip_prefix("functions/admin/src/endpoints/") else {
            continue;
        };
        let Some((noun, _)) = rest.split_once('/') else {
            continue;
        };
        for line in &source.lines {
            let Some(other) = line.split("crate::endpoints::").nth(1) else {
                continue;
            };
            if !other.starts_with(noun) {
                found.push(format!("{}: {line}", source.path));
            }
        }
    }
    must_be_empty(&found, "one noun of the admin never imports another");
}

#[test]
fn rooms_have_names_of_their_own_and_fit_on_a_few_screens() {
    let mut found = Vec::new();
    for source in sources() {
        let name = Path::new(&source.path)
            .file_stem()
            .unwrap()
            .to_str()
            .unwrap();
        if [
            "util", "utils", "helper", "helpers", "common", "misc", "manager",
        ]
        .contains(&name)
        {
            found.push(format!("{} has no name of its own", source.path));
        }
        if source.lines.len() > 400 {
            found.push(format!("{} has {} lines", source.path, source.lines.len()));
        }
        if !source.lines[0].starts_with("//! ") {
            found.push(format!("{} does not say what it is for", source.path));
        }
    }
    must_be_empty(
        &found,
        "a file has a name of its own, one sentence of purpose, and 400 lines at most",
    );
}
