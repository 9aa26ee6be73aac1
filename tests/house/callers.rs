//! Callers as types: nobody, somebody with a key, an administrator.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::{CLAUDE, MODEL};

/// Nobody in particular.
#[derive(Debug, Clone)]
pub struct Anonymous {
    http: reqwest::Client,
    base: String,
}

/// Somebody with a key.
#[derive(Debug, Clone)]
pub struct KeyCaller {
    anonymous: Anonymous,
    pub key: String,
    pub key_id: String,
    pub user_id: String,
}

/// Somebody signed in.
#[derive(Debug, Clone)]
pub struct Administrator {
    anonymous: Anonymous,
    pub token: String,
    pub user_id: String,
}

impl Anonymous {
    #[must_use]
    pub fn new(http: reqwest::Client, base: String) -> Self {
        Self { http, base }
    }

    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method.parse().unwrap(), format!("{}{path}", self.base))
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::read(self.request("GET", path).send().await.unwrap()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::read(self.request("POST", path).json(body).send().await.unwrap()).await
    }

    /// Signs in, with the right password.
    pub async fn sign_in(&self, username: &str, password: &str) -> Administrator {
        let body = json!({ "username": username, "password": password });
        let session = self.post("/api/session", &body).await.expect(200);
        Administrator {
            anonymous: self.clone(),
            token: session["token"].as_str().unwrap().to_owned(),
            user_id: session["user"]["id"].as_str().unwrap().to_owned(),
        }
    }

    /// The same, with a key's text of somebody's.
    #[must_use]
    pub fn with_key(&self, key: &str) -> KeyCaller {
        KeyCaller {
            anonymous: self.clone(),
            key: key.to_owned(),
            key_id: String::new(),
            user_id: String::new(),
        }
    }
}

impl Administrator {
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.anonymous
            .request(method, path)
            .bearer_auth(&self.token)
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::read(self.request("GET", path).send().await.unwrap()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::read(self.request("POST", path).json(body).send().await.unwrap()).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        Answer::read(self.request("PATCH", path).json(body).send().await.unwrap()).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        Answer::read(self.request("PUT", path).json(body).send().await.unwrap()).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        Answer::read(self.request("DELETE", path).send().await.unwrap()).await
    }

    /// Makes a member; the id.
    pub async fn create_user(&self, name: &str) -> String {
        let body = json!({ "username": name, "password": format!("password of {name}") });
        let user = self.post("/api/users", &body).await.expect(201);
        user["id"].as_str().unwrap().to_owned()
    }

    /// Puts money into a user's wallet.
    pub async fn credit(&self, user: &str, usd: &str) {
        let body = json!({ "amount_usd": usd, "note": "a test" });
        assert!(
            self.post(&format!("/api/users/{user}/credits"), &body)
                .await
                .status
                < 300
        );
    }

    /// Makes a key for a user.
    pub async fn create_key(&self, user: &str, mut body: Value) -> KeyCaller {
        body["name"] = json!("test");
        body["user_id"] = json!(user);
        let key = self.post("/api/keys", &body).await.expect(201);
        KeyCaller {
            anonymous: self.anonymous.clone(),
            key: key["key"].as_str().unwrap().to_owned(),
            key_id: key["id"].as_str().unwrap().to_owned(),
            user_id: user.to_owned(),
        }
    }

    /// A user as the API shows it.
    pub async fn user(&self, id: &str) -> Value {
        self.get(&format!("/api/users/{id}")).await.expect(200)
    }
}

impl KeyCaller {
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.anonymous.request(method, path).bearer_auth(&self.key)
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::read(self.request("GET", path).send().await.unwrap()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::read(self.request("POST", path).json(body).send().await.unwrap()).await
    }

    /// A body as it is.
    pub async fn post_text(&self, path: &str, body: impl Into<String>) -> Answer {
        let request = self
            .request("POST", path)
            .header("content-type", "application/json");
        Answer::read(request.body(body.into()).send().await.unwrap()).await
    }

    /// A chat, streamed or not, with more members.
    pub async fn chat(&self, more: Value) -> Answer {
        self.post("/v1/chat/completions", &chat(more)).await
    }

    /// Anthropic messages, streamed or not, with more members.
    pub async fn messages(&self, more: Value) -> Answer {
        let mut body = chat(json!({ "model": CLAUDE, "max_tokens": 100 }));
        merge(&mut body, more);
        self.post("/v1/messages", &body).await
    }

    /// A chat whose answer is read piece by piece.
    pub async fn open_chat(&self, more: Value) -> reqwest::Response {
        self.request("POST", "/v1/chat/completions")
            .json(&chat(more))
            .send()
            .await
            .unwrap()
    }
}

/// A question, with more members.
#[must_use]
pub fn chat(more: Value) -> Value {
    let mut body = json!({ "model": MODEL, "messages": [{ "role": "user", "content": "Hello" }] });
    merge(&mut body, more);
    body
}

fn merge(body: &mut Value, more: Value) {
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
}
