//! No secret stands in anything that is written: not in a log line, not in an answer, not on disk.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]
#![expect(clippy::indexing_slicing, reason = "what is not there fails the test")]

use std::path::Path;
use std::process::Stdio;

use serde_json::json;
use tests::callers::Anonymous;
use tests::upstream::{Act, CREDENTIAL, FakeUpstream, Piece, chat_text};
use tests::{MODEL, PASSWORD, client};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

/// Every answer of the provider that goes wrong, quoting the credential where providers do.
fn troubles() -> Vec<Act> {
    let quoting = json!({ "error": {
        "message": format!("Incorrect API key provided: {CREDENTIAL}"), "type": "x", "code": "y",
    }});
    let event = format!("data: {quoting}\n\n");
    vec![
        Act::json(401, &quoting),
        Act::json(400, &quoting),
        Act::json(429, &quoting),
        Act::json(500, &quoting),
        Act::json(200, &quoting),
        Act::text(502, "text/html", format!("<html>{CREDENTIAL}</html>")),
        Act::stream(vec![Piece::Text(event.clone())]),
        Act::stream(vec![chat_text("Hi"), Piece::Text(event)]),
        Act::stream(vec![chat_text("Hi"), Piece::Cut]),
    ]
}

#[tokio::test]
async fn no_secret_is_written_anywhere() {
    let data_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("secrets");
    let _ = std::fs::remove_dir_all(&data_dir);
    let upstream = FakeUpstream::start().await;
    let mut child = Command::new(env!("CARGO_BIN_EXE_tollhouse"))
        .args(["--no-demo", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(&data_dir)
        .env("TOLLHOUSE_ADMIN_PASSWORD", PASSWORD)
        .env("LOG_LEVEL", "trace")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stdout.take().unwrap());
    let (mut written, mut base) = (String::new(), String::new());
    while base.is_empty() {
        let mut line = String::new();
        assert_ne!(
            log.read_line(&mut line).await.unwrap(),
            0,
            "it says where it is"
        );
        base = line
            .strip_prefix("Tollhouse is at ")
            .unwrap_or_default()
            .trim()
            .to_owned();
        written.push_str(&line);
    }
    let mut errors = child.stderr.take().unwrap();
    // The log is read while it is written, until the process has ended.
    let reading = async {
        let (mut rest, mut more) = (String::new(), String::new());
        let both = tokio::join!(
            log.read_to_string(&mut rest),
            errors.read_to_string(&mut more)
        );
        assert!(both.0.is_ok() && both.1.is_ok());
        rest + &more
    };
    let living = async {
        let told = live(&Anonymous::new(client(), base), &upstream).await;
        child.kill().await.unwrap();
        told
    };
    let ((answers, key, token), rest) = tokio::join!(living, reading);
    written.push_str(&rest);
    assert!(
        written.contains("call ended"),
        "the log is not what it was: {written}"
    );
    let master_key = std::fs::read_to_string(data_dir.join("master.key")).unwrap();
    for secret in [CREDENTIAL, PASSWORD, &key, &token, &master_key] {
        let line = written.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "a secret is in the log");
    }
    for secret in [CREDENTIAL, PASSWORD, &master_key] {
        assert!(!answers.contains(secret), "a secret is in an answer");
        for file in ["tollhouse.db", "tollhouse.db-wal"] {
            let bytes = std::fs::read(data_dir.join(file)).unwrap_or_default();
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "a secret is in {file}");
        }
    }
}

/// A life in which everything goes wrong once: every answer, the key, the session's token.
async fn live(nobody: &Anonymous, upstream: &FakeUpstream) -> (String, String, String) {
    let root = nobody.sign_in("root", PASSWORD).await;
    let price = json!({ "model": MODEL, "input": "1", "output": "2" });
    let mut answers = vec![root.post("/api/prices", &price).await.text];
    let channel = root
        .post("/api/channels", &upstream.channel("openai"))
        .await;
    let path = format!("/api/channels/{}", channel.json()["id"].as_str().unwrap());
    answers.push(channel.text);
    let user = root.create_user("ada").await;
    root.credit(&user, "1").await;
    let caller = root.create_key(&user, json!({})).await;
    for streamed in [false, true] {
        for trouble in troubles() {
            upstream.next(trouble);
            answers.push(caller.chat(json!({ "stream": streamed })).await.text);
        }
    }
    for path in [
        &path,
        "/api/channels",
        "/api/keys",
        "/api/users",
        "/api/usage",
        "/api/settings",
    ] {
        answers.push(root.get(path).await.text);
    }
    answers.push(root.post(&format!("{path}/test"), &json!({})).await.text);
    // Secrets in the wrong place: a misspelled member, a wrong password, a key in the address.
    let wrong = json!({ "credential": CREDENTIAL, "crdential": CREDENTIAL });
    answers.push(root.patch(&path, &wrong).await.text);
    let wrong = json!({ "username": PASSWORD, "password": PASSWORD });
    answers.push(nobody.post("/api/session", &wrong).await.text);
    answers.push(
        nobody
            .get(&format!("/v1/models?key={}", caller.key))
            .await
            .text,
    );
    (answers.concat(), caller.key, root.token)
}
