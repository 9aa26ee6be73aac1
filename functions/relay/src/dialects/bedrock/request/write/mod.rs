//! A request → `Converse` or `ConverseStream`.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>

mod cache;
mod content;
mod media;
mod names;
mod sampling;
mod schema;
mod thinking;
mod tools;

use shared::failure::Failure;

use crate::dialects::bedrock::model::Model;
use crate::dialects::convert::Renames;
use crate::dialects::envelope::betas::{self, Host};
use crate::dialects::json::{Fields, Json, Object, Raw, array, text};
use crate::dialects::neutral::{Field, Notes, Request};
use crate::dialects::{Destination, Written};

use cache::Points;
use content::Scribe;
use media::Documents;
use names::Names;
use sampling::Chance;
use thinking::Mind;
use tools::{Bench, Kit};

/// Members of Converse that no other dialect has: whoever writes them means them.
const OWN: [&str; 6] = [
    "guardrailConfig",
    "promptVariables",
    "additionalModelResponseFieldPaths",
    "requestMetadata",
    "performanceConfig",
    "serviceTier",
];

/// What goes to the model past Converse.
const MORE: &str = "additionalModelRequestFields";

pub(in crate::dialects::bedrock) fn write(
    request: &Request,
    to: &Destination<'_>,
) -> Result<Written, Failure> {
    let model = Model(to.model);
    let mut notes = Notes::default();
    let mut names = Names::default();
    let mut points = Points::of(request, model);
    let mind = thinking::write(request, model, &mut notes);
    let chance = sampling::write(request, model, &mind, &mut notes)?;
    let mut kit = Kit::of(
        request,
        &mut Bench {
            model,
            mind: &mind,
            names: &mut names,
            points: &mut points,
            notes: &mut notes,
        },
    );
    let mut scribe = Scribe {
        model,
        names: &mut names,
        points: &mut points,
        notes: &mut notes,
        documents: Documents::default(),
    };
    let mut system = scribe.system(request);
    let messages = scribe.messages(request)?;
    if let Some(told) = kit.told.take() {
        system.push(Object::new().with("text", told).into());
    }
    let mut own = Own::read(request, model, &mut notes);
    let mut body = Object::new().with("messages", messages);
    if !system.is_empty() {
        body.put("system", system);
    }
    if !chance.config.is_empty() {
        body.put("inferenceConfig", chance.config.clone());
    }
    if let Some(config) = kit.config() {
        body.put("toolConfig", config);
    }
    let output = Object::new()
        .maybe("textFormat", kit.text_format.take())
        .maybe("effort", mind.effort);
    if !output.is_empty() {
        body.put("outputConfig", output);
    }
    if chance.ends && !own.has("additionalModelResponseFieldPaths") {
        let path = if to.stream {
            "/delta/stop_sequence"
        } else {
            "/stop_sequence"
        };
        body.put("additionalModelResponseFieldPaths", vec![path]);
    }
    let more = own.more(mind, chance, &mut kit);
    if !more.is_empty() {
        body.put(MORE, more);
    }
    for (name, value) in own.members {
        body.put(name, value);
    }
    notes.drop_if(request.user.as_ref(), Field::User);
    Ok(Written {
        body: body.to_bytes(),
        notes,
        renames: Renames {
            tools: names.0,
            format_tool: kit.format_tool,
        },
    })
}

/// What the caller has written in Bedrock's own words, whatever the dialect.
#[derive(Debug, Default)]
struct Own {
    members: Vec<(&'static str, Json)>,
    more: Option<Raw>,
    betas: Vec<String>,
}

impl Own {
    fn read(request: &Request, model: Model<'_>, notes: &mut Notes) -> Self {
        let mut own = Self::default();
        for extra in &request.extras.0 {
            let word = text(&extra.value);
            let known = OWN.into_iter().find(|known| *known == extra.name);
            if let Some(name) = known {
                own.members.push((name, Json::Raw(extra.value.clone())));
            } else if extra.name == MORE {
                own.more = Some(extra.value.clone());
            } else if extra.name == betas::MEMBER && model.claude().is_some() {
                let flags = array(&extra.value).into_iter().filter_map(text);
                own.betas
                    .extend(betas::sort(Host::Converse, flags, notes).kept);
            } else if extra.name == "service_tier"
                && let Some(tier) = word.as_deref().and_then(tier)
            {
                let tier = Object::of_type(tier);
                own.members.push(("serviceTier", tier.into()));
            } else {
                notes.drop(Field::Other(extra.name.clone()));
            }
        }
        own
    }

    fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(known, _)| *known == name)
    }

    /// `additionalModelRequestFields`: the caller's own word counts, where both say something.
    fn more(&mut self, mind: Mind, chance: Chance, kit: &mut Kit) -> Object {
        let mut more = Object::new();
        let given = self.more.take();
        for (name, value) in given
            .as_ref()
            .and_then(|raw| Fields::of(raw))
            .into_iter()
            .flat_map(Fields::rest)
        {
            more.put(name, value.to_owned());
        }
        let betas = std::mem::take(&mut self.betas);
        let betas = (!betas.is_empty()).then(|| (betas::MEMBER, Json::from(betas)));
        let choice = kit.own_choice.take();
        let choice = choice.map(|choice| ("tool_choice", Json::from(choice)));
        let ours = mind.fields.into_iter().chain(chance.fields);
        for (name, value) in ours.chain(choice).chain(betas) {
            if !more.has(name) {
                more.put(name, value);
            }
        }
        more
    }
}

/// A tier of service, where the caller's word is Bedrock's, too.
fn tier(word: &str) -> Option<&'static str> {
    let known = ["default", "flex", "priority"];
    known.into_iter().find(|known| *known == word)
}
