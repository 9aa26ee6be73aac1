//! Caller + Snapshot → Itinerary: the channels to try, in order. Pure, but for the dice.

use std::cmp::Reverse;

use shared::domain::channel::Channel;
use shared::domain::dialect::Dialect;
use shared::domain::group::Group;
use shared::failure::{Failure, Kind};

use super::Call;
use super::authenticate::Caller;
use super::may_name;
use crate::dice::Dice;
use crate::snapshot::Snapshot;

/// The channels to try, in order; never empty.
#[derive(Debug)]
pub(super) struct Itinerary(pub(super) Vec<Channel>);

impl Itinerary {
    /// What the providers on it call a model.
    pub(super) fn upstream_models<'a>(&'a self, model: &'a str) -> Vec<&'a str> {
        let names = self.0.iter().map(|channel| channel.upstream_model(model));
        names.collect()
    }
}

pub(super) fn route(
    snapshot: &Snapshot,
    caller: &Caller,
    call: &Call,
    model: &str,
    dice: &Dice,
) -> Result<Itinerary, Failure> {
    let dialect = call.dialect;
    let group = entered_group(snapshot, caller, call)?;
    if !may_name(caller, Some(group), model) {
        let text = format!("The API key may not use the model {model}.");
        return Err(Failure::new(Kind::Forbidden, "model_not_allowed", text));
    }
    let carrying: Vec<&Channel> = match caller.pinned {
        Some(id) => snapshot
            .configuration
            .channels
            .iter()
            .filter(|channel| channel.id == id)
            .collect(),
        None => snapshot
            .channels_of(&group.name)
            .filter(|channel| channel.carries(model))
            .collect(),
    };
    let speaking: Vec<&Channel> = carrying
        .iter()
        .copied()
        .filter(|channel| {
            channel
                .tongue(dialect, channel.upstream_model(model))
                .is_some()
        })
        .collect();
    if speaking.is_empty() {
        return Err(nowhere(snapshot, model, &carrying, dialect));
    }
    let express = |channel: &Channel| {
        let mut tongues = channel.tongues(channel.upstream_model(model));
        tongues.any(|tongue| tongue.dialect == dialect)
    };
    Ok(Itinerary(in_order(speaking, express, dice)))
}

/// The caller's group, if it is enabled and may be used from there.
fn entered_group<'a>(
    snapshot: &'a Snapshot,
    caller: &Caller,
    call: &Call,
) -> Result<&'a Group, Failure> {
    let name = &caller.user.group;
    let group = snapshot.group(name).filter(|group| group.enabled);
    let group = group.ok_or_else(|| {
        let text = format!("The group {name} of this user is disabled.");
        Failure::new(Kind::Forbidden, "group_disabled", text)
    })?;
    // An administrator's test of a channel comes from the admin itself.
    if caller.key.is_some() && !call.comes_from(&group.cidrs) {
        let text = "The group of this user may not be used from this address.";
        return Err(Failure::new(Kind::Forbidden, "address_not_allowed", text));
    }
    Ok(group)
}

/// Why there is no channel: nobody carries the model, nobody does now, or not in this dialect.
fn nowhere(snapshot: &Snapshot, model: &str, carrying: &[&Channel], dialect: Dialect) -> Failure {
    if let Some(channel) = carrying.first() {
        let spoken = channel.tongues(channel.upstream_model(model));
        let spoken: Vec<&str> = spoken.map(|tongue| tongue.dialect.name()).collect();
        let text = format!(
            "The model {model} is not served in the dialect {dialect}; it is in {}.",
            spoken.join(", ")
        );
        return Failure::new(Kind::Missing, "dialect_not_served", text);
    }
    if snapshot
        .configuration
        .channels
        .iter()
        .any(|channel| channel.carries(model))
    {
        let text = format!("No channel is available for the model {model}.");
        return Failure::new(Kind::Unavailable, "no_channel", text).retry_after(30);
    }
    let text = format!("The model {model} does not exist, or is not served here.");
    Failure::new(Kind::Missing, "model_not_found", text)
}

/// By falling priority; within one, where nothing must be converted first; then by lot in proportion
/// to the weights.
fn in_order(
    mut channels: Vec<&Channel>,
    express: impl Fn(&Channel) -> bool,
    dice: &Dice,
) -> Vec<Channel> {
    let rank = |channel: &Channel| (Reverse(channel.priority), Reverse(express(channel)));
    channels.sort_by_key(|channel| (rank(channel), channel.id));
    let mut ordered = Vec::with_capacity(channels.len());
    while let Some(first) = channels.first() {
        let best = rank(first);
        let alike = channels.iter().take_while(|channel| rank(channel) == best);
        let weights: Vec<u64> = alike
            .map(|channel| u64::from(channel.weight.max(1)))
            .collect();
        let mut drawn = dice.below(weights.iter().sum());
        let chosen = weights
            .iter()
            .position(|weight| match drawn.checked_sub(*weight) {
                Some(rest) => {
                    drawn = rest;
                    false
                }
                None => true,
            });
        ordered.push(channels.remove(chosen.unwrap_or(0)).clone());
    }
    ordered
}
