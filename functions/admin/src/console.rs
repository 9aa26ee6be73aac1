//! The page at `/`, until there is a console.

use axum::response::{Html, IntoResponse, Response};
use http::header::CONTENT_SECURITY_POLICY;

const PAGE: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width\">
<title>Tollhouse</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}</style>
<h1>Tollhouse</h1>
<p>The gateway is running. The console comes with a later step.</p>
<p>Everything that it will do can be done over the <a href=\"/api/docs\">admin API</a>.</p>
</html>
";

/// The page.
pub(crate) async fn show() -> Response {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    ([(CONTENT_SECURITY_POLICY, policy)], Html(PAGE)).into_response()
}
