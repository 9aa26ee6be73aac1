//! What a caller was answered: status, headers, body.

use http::HeaderMap;
use serde_json::Value;

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub async fn read(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self {
            status,
            headers,
            text: response.text().await.unwrap(),
        }
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// The body as JSON, if the status is this one.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        if self.text.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    /// A header's text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The data of each event of the stream in the body.
    #[must_use]
    pub fn events(&self) -> Vec<String> {
        let lines = self
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("data: "));
        lines.map(str::to_owned).collect()
    }

    /// The OpenAI-shaped error's code.
    #[must_use]
    pub fn openai_code(&self) -> String {
        let body = self.json();
        let error = &body["error"];
        for member in ["message", "type", "code"] {
            assert!(error[member].is_string(), "{member} of {body}");
        }
        assert!(error.get("param").is_some(), "param of {body}");
        error["code"].as_str().unwrap().to_owned()
    }

    /// The Anthropic-shaped error's type.
    #[must_use]
    pub fn anthropic_type(&self) -> String {
        let body = self.json();
        assert_eq!(body["type"], "error", "{body}");
        assert!(body["error"]["message"].is_string(), "{body}");
        body["error"]["type"].as_str().unwrap().to_owned()
    }
}
