//! Who may change whom: administrators keep the books of members, root those of administrators.

use shared::domain::user::{Role, User};
use shared::failure::{Failure, Kind};

/// Whether `actor` may change everything of a user of that role.
pub(super) fn outranks(actor: &User, role: Role) -> bool {
    actor.role == Role::Root || (actor.role == Role::Admin && role == Role::Member)
}

/// Refuses unless `actor` may make or change users of that role.
pub(super) fn require(actor: &User, role: Role) -> Result<(), Failure> {
    if outranks(actor, role) {
        return Ok(());
    }
    let text = "Only root makes or changes administrators.";
    Err(Failure::new(Kind::Forbidden, "not_root", text))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use shared::domain::id::UserId;

    use super::*;

    fn user(role: Role) -> User {
        User {
            id: UserId::from_bits(1),
            username: "u".into(),
            display_name: "U".into(),
            role,
            group: "default".into(),
            enabled: true,
            unlimited: false,
            password_hash: None,
            must_change_password: false,
            session_epoch: 0,
            revision: 0,
            created_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn only_root_outranks_administrators() {
        use Role::{Admin, Member, Root};
        for (actor, role, expected) in [
            (Member, Member, false),
            (Admin, Member, true),
            (Admin, Admin, false),
            (Admin, Root, false),
            (Root, Admin, true),
            (Root, Root, true),
        ] {
            assert_eq!(outranks(&user(actor), role), expected, "{actor:?} {role:?}");
        }
    }
}
