//! Who is whom: numbers that lead to others by now, and numbers that did once.

use std::collections::{BTreeSet, HashMap};

use scoresync_archive::Successors;

/// Everybody whose number is or was not the last.
#[derive(Debug, Default)]
pub(crate) struct People {
    successors: Successors,
    /// Who is next to whom, in both directions, by what stands and by what stood once.
    neighbours: HashMap<String, BTreeSet<String>>,
    /// Those who are in what stood once.
    former: BTreeSet<String>,
    /// Of those, and of all who lead to them or whom they lead to: the smallest number that they have in common.
    once_one: HashMap<String, String>,
}

impl People {
    /// Somebody's place is taken.
    pub(crate) fn replaced(&mut self, employee_no: String, successor: String) {
        self.join(&employee_no, &successor);
        self.successors.add(employee_no, successor);
    }

    /// Somebody's place was taken, and is not so any more.
    pub(crate) fn formerly_replaced(&mut self, employee_no: String, successor: String) {
        self.join(&employee_no, &successor);
        self.former.extend([employee_no, successor]);
    }

    fn join(&mut self, one: &str, other: &str) {
        for (from, to) in [(one, other), (other, one)] {
            self.neighbours.entry(from.to_owned()).or_default().insert(to.to_owned());
        }
    }

    /// To be called when all are known.
    pub(crate) fn close(&mut self) {
        for start in &self.former {
            if self.once_one.contains_key(start) {
                continue;
            }
            let (mut found, mut open) = (BTreeSet::from([start]), vec![start]);
            while let Some(number) = open.pop() {
                let next = self.neighbours.get(number).into_iter().flatten();
                open.extend(next.filter(|number| found.insert(number)));
            }
            let smallest = found.first().map(|number| (*number).clone()).unwrap_or_default();
            self.once_one
                .extend(found.into_iter().map(|number| (number.clone(), smallest.clone())));
        }
        self.neighbours.clear();
    }

    /// The number that somebody has now.
    pub(crate) fn last<'a>(&'a self, employee_no: &'a str) -> &'a str {
        self.successors.last(employee_no)
    }

    /// The same for all who are, or may have been, one person when something was judged.
    pub(crate) fn person<'a>(&'a self, employee_no: &'a str) -> &'a str {
        self.once_one
            .get(employee_no)
            .map_or_else(|| self.last(employee_no), String::as_str)
    }

    /// Whether who this is was decided otherwise once, so that nobody can tell afterwards who it was when something was judged.
    pub(crate) fn was_another(&self, employee_no: &str) -> bool {
        self.once_one.contains_key(employee_no)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(present: &[[&str; 2]], former: &[[&str; 2]]) -> People {
        let mut people = People::default();
        for [employee_no, successor] in present {
            people.replaced((*employee_no).to_owned(), (*successor).to_owned());
        }
        for [employee_no, successor] in former {
            people.formerly_replaced((*employee_no).to_owned(), (*successor).to_owned());
        }
        people.close();
        people
    }

    #[test]
    fn numbers_that_led_to_each_other_are_one_person_and_no_others_are() {
        let people = people(&[["E1", "E2"], ["E5", "E6"]], &[["E3", "E2"], ["E3", "E4"]]);
        let whose = ["E1", "E2", "E3", "E4", "E5", "E6", "E7"].map(|number| people.person(number));
        assert_eq!(whose, ["E1", "E1", "E1", "E1", "E6", "E6", "E7"]);
        let others = ["E1", "E4", "E5", "E7"].map(|number| people.was_another(number));
        assert_eq!(others, [true, true, false, false]);
        assert_eq!(["E1", "E3"].map(|number| people.last(number)), ["E2", "E3"]);
    }
}
