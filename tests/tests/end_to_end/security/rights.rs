//! The rights in Kafka that `docs/security.md` tells people to give: those of its table, and those of its commands.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use anyhow::{Context, bail, ensure};
use scoresync_tests::{installation::Installation, stack::project};
use serde_json::{Value, json};

/// One operation on one topic or group, by the name that it has in the document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Right {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) operation: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Topic,
    Group,
}

/// Who gets rights: what stands in the first column of the table and above the commands.
pub(super) type Who = String;

/// A user and the rights of the commands.
#[derive(Clone, Debug, Default)]
pub(super) struct Grants {
    pub(super) user: String,
    pub(super) rights: BTreeSet<Right>,
}

impl Right {
    fn new(kind: Kind, name: &str, operation: &str) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            operation: operation.to_owned(),
        }
    }

    /// The name of the topic or group in an installation with this prefix of topics and of groups.
    pub(super) fn name_in(&self, installation: &Installation, group_prefix: &str) -> String {
        match (self.kind, self.name.strip_prefix("scoresync.")) {
            (Kind::Topic, _) => format!("{}{}", installation.topics.prefix, self.name),
            (Kind::Group, Some(stage)) => format!("{group_prefix}.{stage}"),
            (Kind::Group, None) => self.name.clone(),
        }
    }

    /// The right as `administer_kafka.py` takes it.
    pub(super) fn order(&self, principal: &str, name: &str) -> Value {
        let kind = match self.kind {
            Kind::Topic => "TOPIC",
            Kind::Group => "GROUP",
        };
        let words = self.operation.chars().enumerate().flat_map(|(at, letter)| {
            let gap = (at > 0 && letter.is_ascii_uppercase()).then_some('_');
            gap.into_iter().chain([letter.to_ascii_uppercase()])
        });
        json!([principal, kind, name, words.collect::<String>()])
    }
}

fn document() -> anyhow::Result<String> {
    let path = project().join("docs/security.md");
    fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
}

/// What the `acls …` commands of the document give, by whom they are for.
pub(super) fn of_commands() -> anyhow::Result<BTreeMap<Who, Grants>> {
    let document = document()?;
    let (mut all, mut who) = (BTreeMap::<Who, Grants>::new(), None);
    for line in document.lines() {
        if let Some(comment) = line.strip_prefix("# ").filter(|_| !all.is_empty() || line.starts_with("# run ")) {
            who = Some(comment.to_owned());
        }
        let Some(arguments) = line.strip_prefix("acls --") else { continue };
        let who = who.clone().with_context(|| format!("no comment says who `{line}` is for"))?;
        add_command(all.entry(who).or_default(), arguments).with_context(|| format!("read `{line}`"))?;
    }
    ensure!(all.len() > 5, "the document has commands for {} only", all.len());
    Ok(all)
}

/// `allow-principal User:U --operation O … --topic T … --group G …`: every operation on every topic and group.
fn add_command(grants: &mut Grants, arguments: &str) -> anyhow::Result<()> {
    let (mut operations, mut resources) = (Vec::new(), Vec::new());
    for argument in arguments.split(" --") {
        let (option, value) = argument.split_once(' ').with_context(|| format!("--{argument} has no value"))?;
        match option {
            "allow-principal" => value.strip_prefix("User:").unwrap_or(value).clone_into(&mut grants.user),
            "operation" => operations.push(value),
            "topic" => resources.push((Kind::Topic, value)),
            "group" => resources.push((Kind::Group, value)),
            other => bail!("--{other} is not known"),
        }
    }
    for (kind, name) in resources {
        grants
            .rights
            .extend(operations.iter().map(|operation| Right::new(kind, name, operation)));
    }
    Ok(())
}

/// What the table of the document says, by who needs it. Describe follows from Read and from Write, and is left out beside them.
pub(super) fn of_table() -> anyhow::Result<BTreeMap<Who, BTreeSet<Right>>> {
    let document = document()?;
    let rows = document.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows = rows.skip_while(|row| !row.starts_with("who | topic |")).skip(1);
    let (mut all, mut who) = (BTreeMap::<Who, BTreeSet<Right>>::new(), String::new());
    for row in rows.take_while(|row| !row.is_empty()) {
        let cells: Vec<String> = row.split('|').map(|cell| cell.trim().replace('`', "")).collect();
        let [first, topics, operations, groups, ..] = cells.as_slice() else {
            bail!("`{row}` is too short")
        };
        if topics == "none" || topics.is_empty() {
            continue;
        }
        if !first.is_empty() {
            first.clone_into(&mut who);
        }
        let rights = all.entry(who.clone()).or_default();
        add_topics(rights, topics, operations);
        if let Some((groups, operation)) = groups.split_once(':') {
            let right = |group: &str| Right::new(Kind::Group, group, operation.trim());
            rights.extend(groups.split(", ").map(right));
        }
    }
    Ok(all)
}

fn add_topics(rights: &mut BTreeSet<Right>, topics: &str, operations: &str) {
    let topics = topics.replace("all five", "scores.raw, scores.enriched, scores.dlq, employees, employees.aliases");
    let operations: Vec<&str> = operations.split(", ").collect();
    let implies_describe = operations.iter().any(|operation| ["Read", "Write"].contains(operation));
    for operation in operations.iter().filter(|operation| **operation != "Describe" || !implies_describe) {
        rights.extend(topics.split(", ").map(|topic| Right::new(Kind::Topic, topic, operation)));
    }
}

#[test]
fn the_commands_give_what_the_table_says() -> anyhow::Result<()> {
    let commands = of_commands()?.into_iter().map(|(who, grants)| (who, grants.rights));
    assert_eq!(commands.collect::<BTreeMap<_, _>>(), of_table()?);
    Ok(())
}
