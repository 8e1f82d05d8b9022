//! Follows the dotted path to the rows while the JSON around them goes by.

/// Where in the enclosing JSON the reader is, and how much of the path it has gone along.
pub(super) struct JsonPath {
    parts: Vec<String>,
    /// Objects and arrays that are open.
    depth: usize,
    /// How many of them, from the outermost on, are objects on the path.
    entered: usize,
    /// Whether the value that comes next is on the path.
    next_is_on_path: bool,
}

impl JsonPath {
    /// The path of `json_rows`; without it the rows are the body.
    pub(super) fn new(json_rows: Option<&str>) -> Self {
        Self {
            parts: json_rows.map_or_else(Vec::new, |path| path.split('.').map(str::to_owned).collect()),
            depth: 0,
            entered: 0,
            next_is_on_path: true,
        }
    }

    /// Whether the body itself holds the rows.
    pub(super) fn is_body(&self) -> bool {
        self.parts.is_empty()
    }

    /// Whether nothing is open.
    pub(super) const fn is_outside(&self) -> bool {
        self.depth == 0
    }

    pub(super) fn open_object(&mut self) {
        if self.next_is_on_path {
            self.entered += 1;
        }
        self.open_array();
    }

    pub(super) fn open_array(&mut self) {
        self.depth += 1;
        self.next_is_on_path = false;
    }

    pub(super) fn close(&mut self) {
        self.depth -= 1;
        self.entered = self.entered.min(self.depth);
        self.next_is_on_path = false;
    }

    /// A value that is neither object nor array went by.
    pub(super) fn pass_value(&mut self) {
        self.next_is_on_path = false;
    }

    /// Whether the value of this name is what the path leads to.
    pub(super) fn leads_to(&mut self, name: &str) -> bool {
        let is_on_path = self.depth == self.entered
            && self
                .entered
                .checked_sub(1)
                .and_then(|part| self.parts.get(part))
                .is_some_and(|part| part == name);
        self.next_is_on_path = is_on_path;
        is_on_path && self.entered == self.parts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_path_leads_to_the_rows() {
        let mut path = JsonPath::new(Some("data.items"));
        path.open_object();
        assert!(!path.leads_to("items"));
        path.open_object();
        assert!(!path.leads_to("items"));
        path.close();
        assert!(!path.leads_to("data"));
        path.open_object();
        assert!(!path.leads_to("data"));
        path.pass_value();
        assert!(path.leads_to("items"));
    }

    #[test]
    fn objects_inside_of_arrays_are_not_on_the_path() {
        let mut path = JsonPath::new(Some("items"));
        path.open_array();
        path.open_object();
        assert!(!path.leads_to("items"));
    }
}
