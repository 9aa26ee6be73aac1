//! What comes in one piece: state, items of the provider's own tools, pictures.

use bytes::BytesMut;
use shared::domain::dialect::Dialect;

use super::{Item, Speaker, Whole, say};
use crate::dialects::json::{Object, Raw};
use crate::dialects::neutral::request::{Medium, Source};
use crate::dialects::neutral::{Block, Kind, Opaque, Opening};
use crate::dialects::openai_responses::state::{self, Owner};

impl Speaker {
    /// State travels in a reasoning item of its own.
    pub(super) fn bear(&mut self, opaque: &Opaque, owner: Owner, out: &mut BytesMut) {
        let (text, state) = (String::new(), Some(state::write(opaque, owner)));
        self.begin_item(Item::Thought { text, state }, out);
        self.finish_item(Whole::Yes, out);
    }

    /// A block that comes in one piece.
    pub(super) fn whole(&mut self, block: Block, out: &mut BytesMut) {
        if let Some((opening, text)) = Opening::of(&block) {
            self.open(opening, out);
            self.delta(&text, out);
            if let Some(opaque) = block.opaque {
                self.opaque(opaque);
            }
            return self.close(out);
        }
        match block.kind {
            Kind::Redacted => {
                if let Some(opaque) = &block.opaque {
                    self.bear(opaque, Owner::Redacted, out);
                }
            }
            Kind::Foreign(Dialect::OpenaiResponses, raw) => self.item_as_it_is(&raw, out),
            Kind::Image(Medium {
                source: Source::Base64(data),
                ..
            }) => {
                let item = Object::of_type("image_generation_call")
                    .with("id", self.new_id("ig"))
                    .with("status", "completed")
                    .with("result", data);
                self.item_as_it_is(&item.to_raw(), out);
            }
            // Nothing in this dialect says the others.
            _ => {}
        }
    }

    fn item_as_it_is(&mut self, item: &Raw, out: &mut BytesMut) {
        self.finish_item(Whole::Yes, out);
        for kind in ["response.output_item.added", "response.output_item.done"] {
            let index = self.index();
            let event = self
                .event(kind)
                .with("output_index", index)
                .with("item", item);
            say(kind, &event, out);
        }
        self.items.push(item.clone());
    }
}
