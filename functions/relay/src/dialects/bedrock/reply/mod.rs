//! Plain answers: from the wire into the neutral form.

pub(super) mod read;
