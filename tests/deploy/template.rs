//! The template keeps its promises: nothing billed by the hour, no variable that nobody reads.
//!
//! The template is read as text, line by line: it is ours, so its shape is known, and no YAML
//! reader knows the tags of AWS templates.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

const TEMPLATE: &str = "../template.yaml";
const ROOT: &str = "..";

/// The logical id of each function, and the folder under `functions/` that holds its code.
const FUNCTIONS: [(&str, &str); 3] = [
    ("Relay", "relay"),
    ("Admin", "admin"),
    ("Maintenance", "maintenance"),
];

/// Resources that cost money by the hour, whether anybody calls or not. `*` ends a prefix.
const HOURLY_TYPES: &[&str] = &[
    "AWS::ACMPCA::*",
    "AWS::AmazonMQ::*",
    "AWS::AppRunner::*",
    "AWS::AutoScaling::*",
    "AWS::Batch::*",
    "AWS::CloudHSM*",
    "AWS::DAX::*",
    "AWS::DMS::*",
    "AWS::DocDB*",
    "AWS::EC2::CapacityReservation*",
    "AWS::EC2::ClientVpn*",
    "AWS::EC2::EIP*",
    "AWS::EC2::Host",
    "AWS::EC2::Instance*",
    "AWS::EC2::NatGateway",
    "AWS::EC2::NetworkInsights*",
    "AWS::EC2::SpotFleet",
    "AWS::EC2::TransitGateway*",
    "AWS::EC2::VPCEndpoint*",
    "AWS::EC2::VPNConnection*",
    "AWS::ECS::*",
    "AWS::EKS::*",
    "AWS::EMR::*",
    "AWS::ElastiCache::*",
    "AWS::ElasticBeanstalk::*",
    "AWS::ElasticLoadBalancing::*",
    "AWS::ElasticLoadBalancingV2::*",
    "AWS::Elasticsearch::*",
    "AWS::FSx::*",
    "AWS::GlobalAccelerator::*",
    "AWS::Kinesis::Stream",
    "AWS::KinesisAnalytics*",
    "AWS::Lambda::CapacityProvider",
    "AWS::Lightsail::*",
    "AWS::MSK::*",
    "AWS::MemoryDB::*",
    "AWS::Neptune*",
    "AWS::NetworkFirewall::*",
    "AWS::OpenSearch*",
    "AWS::RDS::*",
    "AWS::Redshift*",
    "AWS::Route53Resolver::*",
    "AWS::SageMaker::*",
    "AWS::Serverless::CapacityProvider",
    "AWS::Timestream::InfluxDB*",
    "AWS::VpcLattice::*",
];

/// Properties that turn a resource billed by use into one billed by the hour.
const HOURLY_PROPERTIES: &[&str] = &[
    "ProvisionedThroughput:",
    "ProvisionedConcurrencyConfig:",
    "CapacityProviderConfig:",
    "BillingMode: PROVISIONED",
    "OriginShield:",
];

#[test]
fn nothing_in_the_stack_is_billed_by_the_hour() {
    let template = fs::read_to_string(TEMPLATE).unwrap();
    assert!(
        resource_types(&template).contains(&"AWS::DynamoDB::Table"),
        "no table found: is the template still read rightly?"
    );
    assert_eq!(billed_by_the_hour(&template), Vec::<&str>::new());
}

#[test]
fn a_planted_nat_gateway_is_found() {
    let template = fs::read_to_string(TEMPLATE).unwrap();
    let planted = format!("{template}\n  Nat:\n    Type: AWS::EC2::NatGateway\n");
    assert_eq!(billed_by_the_hour(&planted), ["AWS::EC2::NatGateway"]);

    let quoted = "  Db: {Type: 'AWS::RDS::DBInstance', Properties: {}} # a database\n";
    assert_eq!(billed_by_the_hour(quoted), ["AWS::RDS::DBInstance"]);
    assert_eq!(
        billed_by_the_hour("      BillingMode: PROVISIONED\n"),
        ["BillingMode: PROVISIONED"]
    );
    assert_eq!(
        billed_by_the_hour("  # Type: AWS::EC2::NatGateway\n"),
        Vec::<&str>::new()
    );
}

#[test]
fn every_variable_of_a_function_is_read_by_its_code() {
    let template = fs::read_to_string(TEMPLATE).unwrap();
    let shared = source_below("shared/src").unwrap();
    let mut unread = Vec::new();
    for (function, folder) in FUNCTIONS {
        let source = source_below(&format!("functions/{folder}/src")).unwrap();
        for name in variables_of(&template, function) {
            let quoted = format!("\"{name}\"");
            if !source.contains(&quoted) && !shared.contains(&quoted) {
                unread.push(format!("{function}: {name}"));
            }
        }
    }
    assert_eq!(
        unread,
        Vec::<String>::new(),
        "template.yaml sets what nobody reads"
    );
}

#[test]
fn every_variable_that_a_function_reads_is_in_the_template() {
    let template = fs::read_to_string(TEMPLATE).unwrap();
    let mut unset = Vec::new();
    for (function, folder) in FUNCTIONS {
        let config =
            fs::read_to_string(format!("{ROOT}/functions/{folder}/src/config.rs")).unwrap();
        let set = variables_of(&template, function);
        for name in names_read(&config) {
            // Lambda itself sets the variables of this prefix, and lets nobody else set them.
            if !name.starts_with("AWS_") && !set.contains(name) {
                unset.push(format!("{function}: {name}"));
            }
        }
    }
    assert_eq!(
        unset,
        Vec::<String>::new(),
        "config.rs reads what template.yaml does not set"
    );
}

#[test]
fn every_event_is_valid_json() {
    let mut events = 0;
    for path in files_below(&Path::new(ROOT).join("events")).unwrap() {
        let text = fs::read_to_string(&path).unwrap();
        let event = serde_json::from_str::<serde_json::Value>(&text);
        assert!(
            event.is_ok_and(|event| event.is_object()),
            "not an event: {}",
            path.display()
        );
        events += 1;
    }
    assert!(events > 0, "no event found");
}

#[test]
fn every_scheduled_job_has_an_event_and_the_reverse() {
    let template = fs::read_to_string(TEMPLATE).unwrap();
    let scheduled: BTreeSet<String> = lines(&template)
        .filter_map(|line| line.trim().strip_prefix("Input: '")?.strip_suffix('\''))
        .map(str::to_owned)
        .collect();
    let mut events = BTreeSet::new();
    for path in files_below(&Path::new(ROOT).join("events/maintenance")).unwrap() {
        let event: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        events.insert(event.to_string());
    }
    assert_eq!(scheduled, events);
}

/// The lines of a template without its comments.
fn lines(template: &str) -> impl Iterator<Item = &str> {
    template
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .map(|line| {
            line.split_once(" #")
                .map_or(line, |(before, _)| before)
                .trim_end()
        })
}

/// What `Type:` says, of every resource.
fn resource_types(template: &str) -> Vec<&str> {
    lines(template)
        .flat_map(|line| line.split("Type: ").skip(1))
        .filter_map(|rest| rest.split([',', '}', ' ']).next())
        .map(|name| name.trim_matches(['\'', '"']))
        .filter(|name| name.starts_with("AWS::"))
        .collect()
}

/// The types and properties in a template that cost money by the hour.
fn billed_by_the_hour(template: &str) -> Vec<&str> {
    let hourly = |name: &&str| {
        HOURLY_TYPES
            .iter()
            .any(|pattern| match pattern.strip_suffix('*') {
                Some(prefix) => name.starts_with(prefix),
                None => name == pattern,
            })
    };
    let types = resource_types(template).into_iter().filter(hourly);
    let properties = HOURLY_PROPERTIES
        .iter()
        .copied()
        .filter(|property| lines(template).any(|line| line.contains(property)));
    types.chain(properties).collect()
}

/// The environment of one function: what `Globals` gives to all, and what is its own.
fn variables_of<'a>(template: &'a str, function: &str) -> BTreeSet<&'a str> {
    let environments = environments(template);
    let of = |id: &str| environments.get(id).into_iter().flatten().copied();
    of("Globals.Function")
        .chain(of(&format!("Resources.{function}")))
        .collect()
}

/// Every `Variables:` block of a template, by section and logical id.
fn environments(template: &str) -> BTreeMap<String, BTreeSet<&str>> {
    let mut found = BTreeMap::<String, BTreeSet<&str>>::new();
    let (mut section, mut id, mut block) = ("", "", None);
    for line in lines(template).filter(|line| !line.is_empty()) {
        let indent = line.len() - line.trim_start().len();
        let name = line.trim().split(':').next().unwrap_or_default();
        match indent {
            0 => section = name,
            2 => id = name,
            _ => {}
        }
        match block {
            Some(outer) if indent > outer => {
                found
                    .entry(format!("{section}.{id}"))
                    .or_default()
                    .insert(name);
            }
            _ => block = (name == "Variables").then_some(indent),
        }
    }
    found
}

/// The names that a `config.rs` asks the environment for.
fn names_read(source: &str) -> BTreeSet<&str> {
    ["env::required(\"", "env::optional(\""]
        .into_iter()
        .flat_map(|call| source.split(call).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

/// All Rust source below a folder of the workspace, in one string.
fn source_below(folder: &str) -> io::Result<String> {
    let mut source = String::new();
    for path in files_below(&Path::new(ROOT).join(folder))? {
        if path.extension().is_some_and(|extension| extension == "rs") {
            source.push_str(&fs::read_to_string(path)?);
        }
    }
    Ok(source)
}

/// Every file below a folder, at any depth.
fn files_below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(files_below(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}
