//! From the settings of one source to the source, with everything that is wrong on the way.

use super::{
    Format, Rung, ScoreAboveMaximum, Source, SourceSettings,
    compile_fields::{FieldCompiler, Zone},
    key::Key,
    mapped_names,
    problem::{Problem, Problems},
    rules,
};
use crate::{Region, Repeat, field_mapping::Field};

/// Compiles one source; the error is everything that is wrong with it.
pub(super) fn compile(name: &str, settings: &SourceSettings) -> Result<Source, Vec<Problem>> {
    let mut problems = Problems::of_source(name);
    let source = compile_into(name, settings, &mut problems);
    let found = problems.into_found();
    match source {
        Some(source) if found.is_empty() => Ok(source),
        Some(_) | None => Err(found),
    }
}

fn compile_into(name: &str, settings: &SourceSettings, problems: &mut Problems) -> Option<Source> {
    check_name(name, problems);
    let system = settings.system.clone().unwrap_or_else(|| name.to_owned());
    if mapped_names::is_unusable(&system) {
        problems.add("system", "is a name without white space around it");
    }
    let mapping_version = version("mapping_version", settings.mapping_version, problems);
    let revision_scheme = version("revision_scheme", settings.revision_scheme.or(Some(1)), problems);
    let repeat = repeat(settings, problems);
    let zone = Zone::compile("time_zone", settings.time_zone.as_deref(), problems);
    let region = region(settings, problems);
    let employees_match = rungs(settings, problems);
    let score_above_maximum = score_above_maximum(settings, problems);
    let format = Format::compile(&settings.format, problems);
    mapped_names::check(&settings.fields, problems);
    rules::check(settings, problems);
    let fields = FieldCompiler {
        fields: &settings.fields,
        zone,
        problems,
    };
    let mapping = fields.compile();
    rules::check_bounds(&mapping, problems);
    Some(Source {
        name: name.to_owned(),
        system,
        mapping_version: mapping_version?,
        revision_scheme: revision_scheme?,
        repeat: repeat?,
        region,
        name_must_agree: settings.name_must_agree,
        employees_match,
        format,
        empty_score_clears: settings.empty_score_clears,
        score_above_maximum: score_above_maximum?,
        key: Key::compile(settings, &mapping, region)?,
        mapping,
    })
}

/// A source's name is part of addresses, of environment variables and of metrics.
fn check_name(name: &str, problems: &mut Problems) {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if name.is_empty() || name.len() > 64 || !name.bytes().all(is_letter) {
        problems.add("", "a source's name is 1 to 64 ASCII letters, digits, hyphens and underscores");
    }
}

fn version(setting: &str, number: Option<i64>, problems: &mut Problems) -> Option<i32> {
    let version = number.and_then(|number| i32::try_from(number).ok()).filter(|number| *number >= 1);
    match (version, number) {
        (Some(_), _) => {}
        (None, Some(_)) => problems.add(setting, "is a whole number from 1 to 2147483647"),
        (None, None) => problems.add(setting, "is required: a whole number from 1, raised whenever the mapping changes"),
    }
    version
}

fn repeat(settings: &SourceSettings, problems: &mut Problems) -> Option<Repeat> {
    let repeat = settings.repeat.as_deref().and_then(|text| text.parse().ok());
    if repeat.is_none() {
        let explanation =
            "is required: \"redelivery\" if the source repeats what was not answered, \"correction\" if what it says again counts again";
        problems.add("repeat", explanation);
    }
    repeat
}

/// Where no phone is mapped, no region is needed and nothing asks for it.
fn region(settings: &SourceSettings, problems: &mut Problems) -> Region {
    match settings.region.as_deref().map(str::parse) {
        Some(Ok(region)) => return region,
        Some(Err(_)) => problems.add("region", "is the two capital letters of a region in ISO 3166-1, such as CN"),
        None if settings.fields.is_mapped(Field::Phone) => {
            problems.add(
                "region",
                "is required where `phone` is mapped: the region of numbers without a country code, such as CN",
            );
        }
        None => {}
    }
    Region::CN
}

fn rungs(settings: &SourceSettings, problems: &mut Problems) -> Vec<Rung> {
    let mut rungs: Vec<Rung> = Vec::new();
    if settings.employees_match.is_empty() {
        problems.add(
            "employees_match",
            "is required: the kinds of identity to match by, such as [\"employee_no\", \"phone\"]",
        );
    }
    for text in &settings.employees_match {
        let Ok(rung) = text.parse::<Rung>() else {
            let explanation = format!("`{text}` is none of employee_no, phone, email and account (with ? where the next kind may decide)");
            problems.add("employees_match", explanation);
            continue;
        };
        if rungs.iter().any(|known| known.kind == rung.kind) {
            problems.add("employees_match", format!("names {} twice", rung.kind));
        }
        if !settings.fields.is_mapped(Field::from(rung.kind)) {
            problems.add("employees_match", format!("names {}, which `fields` does not map", rung.kind));
        }
        rungs.push(rung);
    }
    rungs
}

fn score_above_maximum(settings: &SourceSettings, problems: &mut Problems) -> Option<ScoreAboveMaximum> {
    match settings.score_above_maximum.as_deref() {
        None | Some("allow") => Some(ScoreAboveMaximum::Allow),
        Some("refuse") => Some(ScoreAboveMaximum::Refuse),
        Some(_) => {
            problems.add("score_above_maximum", "is \"allow\" or \"refuse\"");
            None
        }
    }
}
