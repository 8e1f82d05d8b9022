//! Following `replaced_by` to the number that an employee has now.

use std::collections::HashMap;

/// Longest chain that is followed.
const LONGEST_CHAIN: usize = 64;

/// Who took whose place.
#[derive(Clone, Debug, Default)]
pub struct Successors {
    edges: HashMap<String, String>,
}

impl Successors {
    /// The place of the first was taken by the second.
    pub fn add(&mut self, employee_no: String, replaced_by: String) {
        self.edges.insert(employee_no, replaced_by);
    }

    /// The last number of the chain; of a circle the smallest, so that all of its members are one person whoever is asked about.
    #[must_use]
    pub fn last<'a>(&'a self, employee_no: &'a str) -> &'a str {
        let mut chain = vec![employee_no];
        while let Some(next) = self.edges.get(chain[chain.len() - 1]) {
            if let Some(start) = chain.iter().position(|seen| seen == next) {
                return chain[start..].iter().copied().min().unwrap_or(employee_no);
            }
            if chain.len() == LONGEST_CHAIN {
                break;
            }
            chain.push(next);
        }
        chain[chain.len() - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(edges: &[(&str, &str)], employee_no: &str, expected: &str) {
        let mut successors = Successors::default();
        for (from, to) in edges {
            successors.add((*from).to_owned(), (*to).to_owned());
        }
        assert_eq!(successors.last(employee_no), expected, "{edges:?}");
    }

    #[test]
    fn a_chain_is_followed_to_its_end() {
        check(&[], "E1", "E1");
        check(&[("E1", "E2"), ("E2", "E3")], "E1", "E3");
        check(&[("E1", "E2"), ("E2", "E3")], "E2", "E3");
    }

    #[test]
    fn everybody_who_leads_into_a_circle_is_its_smallest_member() {
        let circle = [("E9", "E4"), ("E4", "E6"), ("E6", "E4")];
        for employee_no in ["E9", "E4", "E6"] {
            check(&circle, employee_no, "E4");
        }
        check(&[("E1", "E1")], "E1", "E1");
    }
}
