//! Texts to vectors: the small languages of embeddings, each read into and written from one form.

pub mod cohere;
pub mod gemini;
pub mod nova;
pub mod openai;
pub mod titan;

use std::fmt::Debug;

use bytes::Bytes;
use shared::domain::dialect::Dialect as Name;
use shared::domain::usage::Usage;
use shared::failure::Failure;

use super::json::Raw;
use super::neutral::Notes;
use super::watch::Seen;
use super::{Destination, InUrl, Wanted};

/// What shall be embedded, and how.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The texts.
    pub inputs: Vec<Input>,
    /// How many numbers a vector shall have.
    pub dimensions: Option<u64>,
    /// What the vectors are for.
    pub purpose: Option<Purpose>,
    /// Members that only the caller's dialect understands, by name.
    pub extras: Vec<String>,
}

/// Something to embed.
#[derive(Debug, Clone)]
pub enum Input {
    /// A text.
    Text(String),
    /// Tokens of a text, by OpenAI's numbers.
    Tokens(Raw),
}

/// What vectors are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be found.
    Document,
    /// To find.
    Query,
    /// To be told apart.
    Classification,
    /// To be put together.
    Clustering,
}

/// A vector.
#[derive(Debug, Clone)]
pub enum Vector {
    /// An array of numbers, as it came.
    Numbers(Raw),
    /// Little-endian 32-bit floats in base64.
    Base64(String),
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// A vector for each input.
    pub vectors: Vec<Vector>,
    /// The tokens of all inputs, if the provider tells.
    pub tokens: Option<u64>,
}

/// A language in which callers ask for vectors.
pub trait EmbeddingCaller: Debug + Send + Sync {
    /// Reads as much of a request as the pipeline needs.
    ///
    /// # Errors
    /// When it is not a request of this dialect.
    fn read(&self, body: Bytes, url: &InUrl) -> Result<Wanted, Failure>;

    /// The request as it came, but for the model's name.
    ///
    /// # Errors
    /// When the request cannot be read a second time.
    fn express(&self, wanted: &Wanted, upstream_model: &str) -> Result<Bytes, Failure>;

    /// The whole request.
    ///
    /// # Errors
    /// When a member is not what this dialect says.
    fn read_request(&self, wanted: &Wanted) -> Result<Request, Failure>;

    /// The answer.
    fn write_reply(&self, reply: &Reply, wanted: &Wanted) -> Bytes;
}

/// A language in which providers are asked for vectors.
pub trait EmbeddingProvider: Debug + Send + Sync {
    /// Where requests are posted, below a provider's host.
    fn path(&self, to: &Destination<'_>) -> String;

    /// The same for the express lane, where the request decides.
    fn express_path(&self, to: &Destination<'_>, _: &Wanted) -> String {
        self.path(to)
    }

    /// The requests: more than one where the provider takes one text at a time.
    ///
    /// # Errors
    /// When it cannot be said in this dialect.
    fn write_requests(
        &self,
        request: &Request,
        to: &Destination<'_>,
    ) -> Result<(Vec<Bytes>, Notes), Failure>;

    /// The answer to one of them; `None` when it is none.
    fn read_reply(&self, body: &[u8]) -> Option<Reply>;
}

/// The dialect of that name, as callers speak it.
#[must_use]
pub fn caller(name: Name) -> Option<&'static dyn EmbeddingCaller> {
    match name {
        Name::OpenaiEmbeddings => Some(&openai::OpenaiEmbeddings),
        Name::GeminiEmbeddings => Some(&gemini::GeminiEmbeddings),
        _ => None,
    }
}

/// The dialect of that name, as providers speak it.
#[must_use]
pub fn provider(name: Name) -> Option<&'static dyn EmbeddingProvider> {
    match name {
        Name::OpenaiEmbeddings => Some(&openai::OpenaiEmbeddings),
        Name::GeminiEmbeddings => Some(&gemini::GeminiEmbeddings),
        Name::CohereEmbeddings => Some(&cohere::CohereEmbeddings),
        Name::TitanEmbeddings => Some(&titan::TitanEmbeddings),
        Name::NovaEmbeddings => Some(&nova::NovaEmbeddings),
        _ => None,
    }
}

impl Reply {
    /// What was used, as the books take it.
    #[must_use]
    pub fn seen(&self) -> Seen {
        let tokens = self.tokens.map(|input| Usage {
            input,
            ..Usage::default()
        });
        Seen {
            tokens,
            began: true,
            complete: true,
            over: true,
            ..Seen::default()
        }
    }

    /// Several answers to parts of one request, put together.
    #[must_use]
    pub fn join(replies: Vec<Self>) -> Self {
        let mut all = Self {
            vectors: Vec::new(),
            tokens: Some(0),
        };
        for reply in replies {
            all.vectors.extend(reply.vectors);
            let both = all.tokens.zip(reply.tokens);
            all.tokens = both.map(|(sum, more)| sum.saturating_add(more));
        }
        all
    }
}

impl Request {
    /// The texts alone.
    ///
    /// # Errors
    /// When there are tokens among them: only OpenAI knows its numbers.
    fn texts(&self) -> Result<Vec<&str>, Failure> {
        let texts = self.inputs.iter().map(|input| match input {
            Input::Text(text) => Ok(text.as_str()),
            Input::Tokens(_) => Err(Failure::bad_field(
                "input",
                "The provider of this model takes texts only, no token numbers.",
            )),
        });
        texts.collect()
    }

    /// What happened to the members that only the caller's dialect understands.
    fn notes(&self) -> Notes {
        let mut notes = Notes::default();
        for name in &self.extras {
            notes.drop(super::neutral::Field::Other(name.clone()));
        }
        notes
    }
}

/// Requests of the express lane and answers of every lane are plain: this many vectors at most.
const MOST_INPUTS: usize = 2_048;

fn bounded(inputs: Vec<Input>) -> Result<Vec<Input>, Failure> {
    if inputs.is_empty() || inputs.len() > MOST_INPUTS {
        let text = format!("Invalid value for 'input': 1 to {MOST_INPUTS} texts are expected.");
        return Err(Failure::bad_field("input", text));
    }
    Ok(inputs)
}
