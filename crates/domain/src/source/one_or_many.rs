//! Settings that may be written short: one name, a list of names, or a table.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

/// One text or a list of texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Names(pub(super) Vec<String>);

/// A field's setting: names alone, or a table that has them as `from`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Setting<T>(pub(super) T);

/// A value for every record: a text or a whole number. Decimals are written as texts, so that they stay exact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Constant(pub(super) String);

/// A table of which everything but the names has a default.
pub(super) trait FromNames {
    fn from_names(names: Names) -> Self;
}

macro_rules! shorthand {
    ($($name:ident),+ => $wrap:expr) => {
        $(impl super::one_or_many::FromNames for $name {
            fn from_names(names: Names) -> Self {
                let wrap: fn(Names) -> _ = $wrap;
                let mut table = Self::default();
                table.from = wrap(names);
                table
            }
        })+
    };
}
pub(super) use shorthand;

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NamesVisitor)
    }
}

struct NamesVisitor;

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = Names;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text or a list of texts")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Names, E> {
        Ok(Names(vec![name.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Names, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = list.next_element()? {
            names.push(name);
        }
        Ok(Names(names))
    }
}

impl<'de, T: Deserialize<'de> + FromNames> Deserialize<'de> for Setting<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SettingVisitor(PhantomData))
    }
}

struct SettingVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + FromNames> Visitor<'de> for SettingVisitor<T> {
    type Value = Setting<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the source's name of the field, a list of names, or a table with `from`")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        NamesVisitor.visit_str(name).map(|names| Setting(T::from_names(names)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        NamesVisitor.visit_seq(list).map(|names| Setting(T::from_names(names)))
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(table)).map(Setting)
    }
}

impl<'de> Deserialize<'de> for Constant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ConstantVisitor)
    }
}

struct ConstantVisitor;

impl Visitor<'_> for ConstantVisitor {
    type Value = Constant;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text or a whole number (a decimal is written in quotes, so that it stays exact)")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Constant, E> {
        Ok(Constant(text.to_owned()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Constant, E> {
        Ok(Constant(number.to_string()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Constant, E> {
        Ok(Constant(number.to_string()))
    }
}
