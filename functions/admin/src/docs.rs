//! The page at `/api/docs`: the OpenAPI document as plain HTML, without a script.

use std::collections::BTreeMap;
use std::fmt::Write;

use axum::response::{Html, IntoResponse, Response};
use http::header::CONTENT_SECURITY_POLICY;
use serde_json::Value;
use utoipa::openapi::OpenApi;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;\
padding:0 1rem}h2{text-transform:capitalize;border-bottom:1px solid}summary{cursor:pointer;\
padding:.25rem 0}pre{overflow:auto;background:#8881;padding:1rem}code,pre{font-size:14px}\
.verb{display:inline-block;width:4.5rem;font-weight:bold}";

/// The page.
pub(crate) fn page(document: &OpenApi) -> String {
    let document = serde_json::to_value(document).unwrap_or_default();
    let mut html = String::from("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">");
    html.push_str("<meta name=\"viewport\" content=\"width=device-width\">");
    let title = text(&document, "/info/title");
    let about = text(&document, "/info/description");
    push(
        &mut html,
        format_args!("<title>{title}</title><style>{STYLE}</style><h1>{title}</h1>"),
    );
    push(&mut html, format_args!("<p>{about}</p>"));
    html.push_str("<p>For programs: <a href=\"/api/openapi.json\">openapi.json</a></p>");
    for (tag, operations) in by_tag(&document) {
        push(&mut html, format_args!("<h2>{}</h2>", escape(tag)));
        for operation in operations {
            operation.write(&mut html);
        }
    }
    html.push_str("<h2>Schemas</h2>");
    for (name, schema) in members(document.pointer("/components/schemas")) {
        push(
            &mut html,
            format_args!(
                "<details id=\"{0}\"><summary><code>{0}</code></summary>",
                escape(name)
            ),
        );
        push(&mut html, format_args!("{}</details>", pretty(schema)));
    }
    html.push_str("</html>\n");
    html
}

/// The page on its way out.
pub(crate) fn answer(page: String) -> Response {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    ([(CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response()
}

/// One verb of one path.
struct Operation<'a> {
    verb: &'a str,
    path: &'a str,
    content: &'a Value,
}

impl Operation<'_> {
    fn write(&self, html: &mut String) {
        let (verb, path) = (self.verb.to_uppercase(), escape(self.path));
        let summary = text(self.content, "/summary");
        push(
            html,
            format_args!("<details><summary><span class=\"verb\">{verb}</span>"),
        );
        push(
            html,
            format_args!("<code>{path}</code> {summary}</summary>"),
        );
        push(
            html,
            format_args!("<p>{}</p>", text(self.content, "/description")),
        );
        let parts = [
            ("Parameters", "/parameters"),
            ("Body", "/requestBody/content"),
            ("Answers", "/responses"),
        ];
        for (title, pointer) in parts {
            if let Some(part) = self.content.pointer(pointer) {
                push(html, format_args!("<h4>{title}</h4>{}", pretty(part)));
            }
        }
        html.push_str("</details>");
    }
}

fn by_tag(document: &Value) -> BTreeMap<&str, Vec<Operation<'_>>> {
    let mut tags: BTreeMap<&str, Vec<Operation<'_>>> = BTreeMap::new();
    for (path, item) in members(document.get("paths")) {
        for (verb, content) in members(Some(item)) {
            let tag = content.pointer("/tags/0").and_then(Value::as_str);
            let operation = Operation {
                verb,
                path,
                content,
            };
            tags.entry(tag.unwrap_or("other"))
                .or_default()
                .push(operation);
        }
    }
    tags
}

fn members(value: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    let object = value.and_then(Value::as_object).into_iter().flatten();
    object.map(|(name, value)| (name.as_str(), value))
}

fn text(value: &Value, pointer: &str) -> String {
    let text = value.pointer(pointer).and_then(Value::as_str);
    escape(text.unwrap_or_default())
}

fn pretty(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    format!("<pre>{}</pre>", escape(&text))
}

fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

fn push(html: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into a String never fails.
    let _ = html.write_fmt(text);
}
