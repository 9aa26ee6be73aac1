//! What a newcomer reads first, on the terminal.

use std::fmt::Write as _;
use std::net::SocketAddr;

use secrecy::{ExposeSecret, SecretString};
use shared::domain::key_text::KeyText;

use crate::seed::DEMO_MODEL;

/// What is new at this start.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// The first administrator's one-time password.
    pub(crate) password: Option<SecretString>,
    /// The demo's key.
    pub(crate) key: Option<KeyText>,
    /// Variables for whose providers a channel was made.
    pub(crate) channels: Vec<&'static str>,
}

/// The welcome.
pub(crate) fn text(address: SocketAddr, news: &News) -> String {
    let mut text = format!(
        "\nTollhouse is at http://{address}\n\n  \
         console        http://{address}/\n  \
         API            http://{address}/api/docs\n  \
         administrator  root\n"
    );
    if let Some(password) = &news.password {
        let password = password.expose_secret();
        let _ = writeln!(
            text,
            "  password       {password}   (one-time: shown only now)"
        );
    }
    for variable in &news.channels {
        let _ = writeln!(
            text,
            "  channel        from {variable}; give its models a price to use it"
        );
    }
    if let Some(key) = &news.key {
        let key = key.expose();
        let _ = write!(
            text,
            "  key            {key}   (user demo, 5 USD: shown only now)\n\n\
             Stream an answer:\n\n  \
             curl -N http://{address}/v1/chat/completions -H 'authorization: Bearer {key}' \
             -H 'content-type: application/json' -d '{{\"model\":\"{DEMO_MODEL}\",\"stream\":true,\
             \"messages\":[{{\"role\":\"user\",\"content\":\"Hello\"}}]}}'\n"
        );
    }
    text
}
