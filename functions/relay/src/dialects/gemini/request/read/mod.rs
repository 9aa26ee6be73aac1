//! A request of Gemini's dialect → the neutral form.
//! <https://ai.google.dev/api/generate-content#request-body>

mod config;
mod parts;
mod tools;

use serde_json::value::RawValue;
use shared::failure::Failure;

use self::parts::Calls;
use super::super::spelling::{Reading, Spelling, own};
use super::{IN_SYSTEM, ROLE};
use crate::dialects::json::{Json, text, wrong};
use crate::dialects::neutral::request::{Content, Extras};
use crate::dialects::neutral::{Block, Kind, Origin, Request, Role, Turn};

/// Reads it. A text in place of `systemInstruction`, or one object in place of an array of objects, is
/// taken for what it stands for.
pub(in crate::dialects::gemini) fn read(body: &[u8]) -> Result<Request, Failure> {
    let root: &RawValue = serde_json::from_slice(body).map_err(|_| wrong("", "a JSON object"))?;
    let spelling = Spelling::default();
    let mut top = Reading::of(root, String::new(), &spelling)?;
    let mut request = Request::default();
    let mut calls = Calls::default();
    instructions(&mut top, &mut request, &mut calls)?;
    for turn in top.objects("contents")? {
        request.turns.push(read_turn(turn, &mut calls)?);
    }
    tools::read(&mut top, &mut request)?;
    config::read(&mut top, &mut request)?;
    // The address names the model; this is an echo of it.
    if let Some(model) = top.take("model") {
        request.extras.0.push(own("=model", model.to_owned()));
    }
    request.extras.0.extend(top.rest(""));
    spelling.carry(&mut request.extras);
    Ok(request)
}

fn instructions(
    top: &mut Reading<'_, '_>,
    request: &mut Request,
    calls: &mut Calls,
) -> Result<(), Failure> {
    let Some(value) = top.take("systemInstruction") else {
        return Ok(());
    };
    if let Some(text) = text(value) {
        request.instructions = Content::text(text);
        return Ok(());
    }
    let path = top.path("systemInstruction");
    let mut content = Reading::of(value, path, top.spelling)?;
    request.instructions.blocks = read_parts(&mut content, calls)?;
    // Whatever it says, these are instructions.
    if let Some(role) = content.take("role") {
        let name = format!("={IN_SYSTEM}role");
        request.extras.0.push(own(name, role.to_owned()));
    }
    request.extras.0.extend(content.rest(IN_SYSTEM));
    Ok(())
}

fn read_turn(mut turn: Reading<'_, '_>, calls: &mut Calls) -> Result<Turn, Failure> {
    let word = turn.text("role")?;
    let role = match word.as_deref() {
        None | Some("user") => Role::User,
        Some("model") => Role::Assistant,
        Some("function" | "tool") => Role::Tool,
        Some("system") => Role::System,
        Some(_) => return Err(wrong(turn.path("role"), "'user' or 'model'")),
    };
    let blocks = read_parts(&mut turn, calls)?;
    let word = word.map_or(Json::Null, Json::from).to_raw();
    let mut extras = Extras(vec![own(ROLE, word)]);
    extras.0.extend(turn.rest(""));
    Ok(Turn {
        role,
        content: Content::blocks(blocks),
        extras,
    })
}

fn read_parts(content: &mut Reading<'_, '_>, calls: &mut Calls) -> Result<Vec<Block>, Failure> {
    let mut blocks = Vec::new();
    for part in content.objects("parts")? {
        let block = parts::read(part, calls)?;
        push(&mut blocks, block);
    }
    Ok(blocks)
}

/// Adds a block. Clients keep the pieces of a streamed thought apart, and its state with the last of
/// them: where the state is another provider's, they belong together.
fn push(blocks: &mut Vec<Block>, mut block: Block) {
    let foreign = block.opaque.as_ref();
    let foreign = foreign.is_some_and(|state| state.origin != Origin::Gemini);
    if let Kind::Reasoning(last) = &mut block.kind
        && foreign
    {
        let mut pieces = Vec::new();
        while let Some(Block {
            kind: Kind::Reasoning(piece),
            opaque: None,
            ..
        }) = blocks.last_mut()
        {
            pieces.push(std::mem::take(piece));
            blocks.pop();
        }
        *last = pieces
            .into_iter()
            .rev()
            .chain([std::mem::take(last)])
            .collect();
    }
    blocks.push(block);
}

#[cfg(test)]
mod tests {
    use shared::domain::dialect::Dialect;

    use super::*;

    fn request(json: &str) -> Request {
        read(json.as_bytes()).unwrap()
    }

    fn field(json: &str) -> String {
        let failure = read(json.as_bytes()).unwrap_err();
        failure.field.unwrap().into_owned()
    }

    #[test]
    fn answers_of_tools_find_their_calls_by_name_and_order() {
        let request = request(
            r#"{"contents":[{"parts":{"text":"go"}},
            {"role":"model","parts":[{"functionCall":{"name":"a","args":{"n":1.0}}},
                {"functionCall":{"name":"b"}},{"functionCall":{"name":"a","id":"x"}}]},
            {"role":"function","parts":[{"functionResponse":{"name":"b","response":{"result":"B"}}},
                {"functionResponse":{"name":"a","response":{"error":"no"}}},
                {"functionResponse":{"name":"a","response":{"n":2}}}]}]}"#,
        );
        let ids = |turn: usize| -> Vec<String> {
            let blocks = request.turns[turn].content.blocks.iter();
            blocks
                .map(|block| match &block.kind {
                    Kind::ToolUse(call) => call.id.clone(),
                    Kind::ToolResult(result) => result.id.clone(),
                    other => panic!("{other:?}"),
                })
                .collect()
        };
        let (calls, results) = (ids(1), ids(2));
        assert_eq!(calls[2], "x");
        assert_eq!(results, [&*calls[1], &*calls[0], "x"]);
        let Kind::ToolResult(failed) = &request.turns[2].content.blocks[1].kind else {
            panic!()
        };
        assert_eq!(failed.failed, Some(true));
        let Kind::ToolUse(call) = &request.turns[1].content.blocks[0].kind else {
            panic!()
        };
        assert_eq!(call.arguments, r#"{"n":1.0}"#);
        assert_eq!(request.turns[2].role, Role::Tool);
    }

    #[test]
    fn pieces_of_a_foreign_thought_become_one_with_their_state() {
        let state = super::super::super::signature::write(&crate::dialects::neutral::Opaque::new(
            Origin::Anthropic,
            "sig",
        ));
        let request = request(&format!(
            r#"{{"contents":[{{"role":"model","parts":[{{"text":"a","thought":true}},
            {{"text":"b","thought":true}},{{"text":"","thought":true,"thoughtSignature":"{state}"}},
            {{"text":"said"}}]}}]}}"#
        ));
        let blocks = &request.turns[0].content.blocks;
        assert_eq!(blocks.len(), 2);
        assert!(matches!(&blocks[0].kind, Kind::Reasoning(text) if text == "ab"));
        assert_eq!(blocks[0].opaque.as_ref().unwrap().data, "sig");
    }

    #[test]
    fn only_documents_are_called_something_elsewhere() {
        for (mime, name, lost) in [
            ("image/png", None, Some("inlineData.displayName")),
            ("application/pdf", Some("a"), None),
        ] {
            let request = request(&format!(
                r#"{{"contents":[{{"parts":[{{"inlineData":{{"mimeType":"{mime}","data":"QQ==",
                "displayName":"a"}}}}]}}]}}"#
            ));
            let block = &request.turns[0].content.blocks[0];
            let (Kind::Image(medium) | Kind::Document(medium)) = &block.kind else {
                panic!("{block:?}")
            };
            assert_eq!(medium.name.as_deref(), name);
            let mut foreign = block.extras.foreign(Dialect::OpenaiChat);
            assert_eq!(foreign.next().map(|extra| &*extra.name), lost);
        }
    }

    #[test]
    fn what_is_wrong_is_told_by_its_place() {
        for (json, place) in [
            (r#"{"contents":7}"#, "contents"),
            (r#"{"contents":[{"role":"assistant"}]}"#, "contents[0].role"),
            (
                r#"{"contents":[{"parts":[{"text":"a"},{"text":7}]}]}"#,
                "contents[0].parts[1].text",
            ),
            (
                r#"{"generation_config":{"topP":"x"}}"#,
                "generationConfig.topP",
            ),
            (
                r#"{"tools":[{"functionDeclarations":[{}]}]}"#,
                "tools[0].functionDeclarations[0].name",
            ),
            (
                r#"{"toolConfig":{"functionCallingConfig":{"mode":"SOME"}}}"#,
                "toolConfig.functionCallingConfig.mode",
            ),
        ] {
            assert_eq!(field(json), place);
        }
    }
}
