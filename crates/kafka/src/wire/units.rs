//! Whether a schema means by our fields what ours means: the scale of a decimal and the unit of a time are not in the bytes.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::datum::SchemaError;

/// Records and unions within each other, deeper than which nothing of ours is.
const MAX_DEPTH: usize = 12;

/// Compares the fields that both have; where theirs states no logical type, ours is believed.
pub(super) fn compare(theirs: &Value, ours: &Value) -> Result<(), SchemaError> {
    let (theirs, ours) = (Units::of(theirs), Units::of(ours));
    let differs = |(field, unit): (&String, &String)| ours.found.get(field).is_some_and(|our_unit| our_unit != unit);
    match theirs.found.iter().find(|(field, unit)| differs((field, unit))) {
        Some((field, unit)) => Err(SchemaError::ForeignUnit {
            field: field.clone(),
            unit: unit.clone(),
        }),
        None => Ok(()),
    }
}

/// The logical types of a schema's fields, by path.
struct Units<'s> {
    found: BTreeMap<String, String>,
    /// Types that have a name and can be referred to by it.
    named: HashMap<&'s str, &'s Value>,
}

impl<'s> Units<'s> {
    fn of(schema: &'s Value) -> Self {
        let mut units = Self {
            found: BTreeMap::new(),
            named: HashMap::new(),
        };
        units.walk(schema, "", MAX_DEPTH);
        units
    }

    fn walk(&mut self, schema: &'s Value, path: &str, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        match schema {
            Value::String(reference) => {
                if let Some(named) = self.named.get(last_part(reference)) {
                    self.walk(named, path, depth);
                }
            }
            Value::Array(variants) => variants.iter().for_each(|variant| self.walk(variant, path, depth)),
            Value::Object(_) => self.walk_type(schema, path, depth),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn walk_type(&mut self, schema: &'s Value, path: &str, depth: usize) {
        let text = |key: &str| schema.get(key).and_then(Value::as_str);
        if let Some(name) = text("name") {
            self.named.insert(last_part(name), schema);
        }
        if let Some(logical_type) = text("logicalType") {
            self.found.insert(path.to_owned(), unit(schema, logical_type));
        }
        for field in schema.get("fields").and_then(Value::as_array).into_iter().flatten() {
            if let (Some(name), Some(of_type)) = (field.get("name").and_then(Value::as_str), field.get("type")) {
                let path = if path.is_empty() {
                    name.to_owned()
                } else {
                    format!("{path}.{name}")
                };
                self.walk(of_type, &path, depth);
            }
        }
        for inner in ["type", "items", "values"].iter().filter_map(|key| schema.get(key)) {
            self.walk(inner, path, depth);
        }
    }
}

/// Avro specification, "Logical Types": the scale of a decimal is 0 where it is not stated.
fn unit(schema: &Value, logical_type: &str) -> String {
    match logical_type {
        "decimal" => format!("decimal of scale {}", schema.get("scale").and_then(Value::as_u64).unwrap_or(0)),
        other => other.to_owned(),
    }
}

fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}
