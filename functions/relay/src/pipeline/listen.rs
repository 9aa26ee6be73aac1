//! A streamed answer → the bytes for the caller: whole events, each looked at by the dialect's watcher.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use secrecy::SecretString;
use shared::domain::id::RequestId;
use shared::failure::Failure;

use crate::dialects::UpstreamError;
use crate::dialects::sse;
use crate::dialects::watch::{Seen, Verdict, Watch};
use crate::upstream::framing::{Events, Splitter, Unreadable};
use crate::upstream::{BrokenOff, auth};

/// An answer that is being listened to.
pub(super) struct Listening {
    body: BoxStream<'static, Result<Bytes, BrokenOff>>,
    splitter: Splitter,
    watch: Box<dyn Watch>,
    ear: Ear,
    heard: VecDeque<Result<Bytes, Lost>>,
    ended: bool,
}

/// What is known of an answer before it is heard.
pub(super) struct Ear {
    /// The credential that nobody may hear.
    pub(super) credential: SecretString,
    /// Whether the caller understands the provider's own words.
    pub(super) verbatim: bool,
}

/// Why an answer is not heard to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    /// The provider says no in the middle of it.
    #[error("the provider broke off with {}: {}", error.code, error.message)]
    Said {
        /// What it means.
        error: UpstreamError,
        /// How it was said, unless that gives the credential away.
        event: Option<Bytes>,
    },
    /// The connection broke, or the time ran out.
    #[error(transparent)]
    Broken(#[from] BrokenOff),
    /// It is no stream of events.
    #[error(transparent)]
    Garbage(#[from] Unreadable),
}

impl std::fmt::Debug for Listening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listening")
            .field("watch", &self.watch)
            .finish_non_exhaustive()
    }
}

impl Listening {
    pub(super) fn new(
        body: BoxStream<'static, Result<Bytes, BrokenOff>>,
        splitter: Splitter,
        watch: Box<dyn Watch>,
        ear: Ear,
    ) -> Self {
        Self {
            body,
            splitter,
            watch,
            ear,
            heard: VecDeque::new(),
            ended: false,
        }
    }

    /// What was seen so far.
    pub(super) fn seen(&self) -> &Seen {
        self.watch.seen()
    }

    /// How a failure is said after what was said so far, where that makes a difference.
    pub(super) fn fail(&mut self, failure: &Failure, id: RequestId) -> Option<Bytes> {
        self.watch.fail(failure, id)
    }

    /// The next bytes for the caller; `None` at the end. Whoever stops waiting loses nothing.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Lost> {
        loop {
            if let Some(heard) = self.heard.pop_front() {
                return heard.map(Some);
            }
            if self.ended {
                return Ok(None);
            }
            match self.body.next().await {
                Some(Ok(piece)) => {
                    let events = self.splitter.push(piece)?;
                    self.hear(&events);
                }
                Some(Err(error)) => {
                    self.ended = true;
                    self.hear_end();
                    // What breaks after the proper end breaks nothing.
                    if !self.watch.seen().complete {
                        self.heard.push_back(Err(error.into()));
                    }
                }
                None => {
                    self.ended = true;
                    // What was cut is nothing to anybody: not to the caller either.
                    let last = self.splitter.finish()?;
                    if let Some(last) = last.filter(|last| sse::is_whole(last)) {
                        self.hear_last(last);
                    }
                    self.hear_end();
                }
            }
        }
    }

    /// Some dialects end with the connection, and without a last event.
    fn hear_end(&mut self) {
        if let Some(words) = self.watch.end() {
            self.say(words);
        }
    }

    /// Looks at each event. Where all of them pass, their bytes go on as they came.
    fn hear(&mut self, events: &Events) {
        let mut edited: Option<BytesMut> = None;
        let mut passed = 0;
        for event in events.iter() {
            let verdict = self.watch.event(&event);
            if verdict == Verdict::Pass {
                match &mut edited {
                    Some(edited) => edited.extend_from_slice(&event),
                    None => passed += event.len(),
                }
                continue;
            }
            let before = || BytesMut::from(events.bytes().get(..passed).unwrap_or_default());
            let edited = edited.get_or_insert_with(before);
            match verdict {
                Verdict::Pass | Verdict::Drop => {}
                Verdict::Replace(other) => edited.extend_from_slice(&other),
                Verdict::Fail(error) => {
                    let edited = std::mem::take(edited).freeze();
                    self.say(edited);
                    self.refuse(error, event);
                    self.ended = true;
                    return;
                }
            }
        }
        self.say(edited.map_or_else(|| events.bytes().clone(), BytesMut::freeze));
    }

    fn hear_last(&mut self, event: Bytes) {
        match self.watch.event(&event) {
            Verdict::Pass => self.say(event),
            Verdict::Drop => {}
            Verdict::Replace(other) => self.say(other),
            Verdict::Fail(error) => self.refuse(error, event),
        }
    }

    /// Providers quote credentials that they refuse: nobody hears them from here on.
    fn refuse(&mut self, mut error: UpstreamError, event: Bytes) {
        let Ear {
            credential,
            verbatim,
        } = &self.ear;
        error.message = auth::without_credential(&error.message, credential);
        let event = Some(event).filter(|event| *verbatim && auth::is_free_of(event, credential));
        self.heard.push_back(Err(Lost::Said { error, event }));
    }

    fn say(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.heard.push_back(Ok(bytes));
        }
    }
}
