//! A row before it is written in any format: cells under our own names, and what is to be damaged about its bytes.

/// One row.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// In the order in which they are written; a name may occur twice.
    pub(super) cells: Vec<(&'static str, Cell)>,
    /// Whether it is written under the Chinese names of its fields, where the format leaves the choice.
    pub(super) in_chinese: bool,
    /// Changes the bytes of the written row.
    pub(super) damage: Option<fn(Vec<u8>) -> Vec<u8>>,
}

/// One value.
#[derive(Clone, Debug)]
pub(super) enum Cell {
    Text(String),
    /// Without quotation marks where the format knows numbers.
    Number(String),
    Null,
}

impl Cell {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text) => text,
            Self::Null => "",
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Row {
    pub(super) const fn new(cells: Vec<(&'static str, Cell)>) -> Self {
        Self {
            cells,
            in_chinese: true,
            damage: None,
        }
    }

    /// With another value in a cell, or the cell appended.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Cell>) -> Self {
        let value = value.into();
        match self.cells.iter_mut().find(|(known, _)| *known == name) {
            Some((_, cell)) => *cell = value,
            None => self.cells.push((name, value)),
        }
        self
    }

    /// With a second cell of the same name.
    pub(super) fn with_second(mut self, name: &'static str, value: impl Into<Cell>) -> Self {
        self.cells.push((name, value.into()));
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.cells.retain(|(known, _)| *known != name);
        self
    }

    /// With only these cells.
    pub(super) fn with_only(mut self, names: &[&str]) -> Self {
        self.cells.retain(|(known, _)| names.contains(known));
        self
    }

    pub(super) fn damaged(mut self, damage: fn(Vec<u8>) -> Vec<u8>) -> Self {
        self.damage = Some(damage);
        self
    }

    pub(super) fn apply_damage(&self, bytes: Vec<u8>) -> Vec<u8> {
        match self.damage {
            Some(damage) => damage(bytes),
            None => bytes,
        }
    }
}
