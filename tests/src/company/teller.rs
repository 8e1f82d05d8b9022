//! Who tells stories: picks people, courses and times, and never speaks of one result twice.

use std::collections::{HashMap, HashSet};

use super::{
    dice::Dice,
    names::COURSES,
    people::{People, Person},
};

/// Tells the stories of one source.
pub(super) struct Teller<'a> {
    pub(super) people: &'a People,
    pub(super) dice: Dice,
    attempts: HashMap<(String, usize), u64>,
    taken: HashSet<(String, usize)>,
    results: u64,
}

/// A course.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
}

impl<'a> Teller<'a> {
    pub(super) fn new(people: &'a People, dice: Dice) -> Self {
        Self {
            people,
            dice,
            attempts: HashMap::new(),
            taken: HashSet::new(),
            results: 0,
        }
    }

    /// Somebody to whom nothing happens.
    pub(super) fn anybody(&mut self) -> &'a Person {
        let people: &'a People = self.people;
        &people.quiet[self.dice.index(people.quiet.len())]
    }

    /// One of those who play a part.
    pub(super) fn one_of<T>(&mut self, players: &'a [T]) -> &'a T {
        &players[self.dice.index(players.len())]
    }

    /// A course, and which attempt of the learner at its exam this is.
    pub(super) fn next_attempt(&mut self, learner: &str) -> (Course, u64) {
        let number = self.dice.index(COURSES.len());
        let attempts = self.attempts.entry((learner.to_owned(), number)).or_default();
        *attempts += 1;
        (course(number), *attempts)
    }

    /// Somebody to whom nothing happens, and a course of which nothing was told yet.
    pub(super) fn untold(&mut self) -> (&'a Person, Course) {
        loop {
            let person = self.anybody();
            if let Some(course) = self.untold_course(&person.employee_no) {
                return (person, course);
            }
        }
    }

    /// A course of which nothing was told of this learner, if any is left.
    pub(super) fn untold_course(&mut self, learner: &str) -> Option<Course> {
        let start = self.dice.index(COURSES.len());
        let mut numbers = (start..COURSES.len()).chain(0..start);
        let number = numbers.find(|number| self.taken.insert((learner.to_owned(), *number)))?;
        Some(course(number))
    }

    /// A number that no other result of the source has.
    pub(super) fn next_result(&mut self) -> u64 {
        self.results += 1;
        self.results
    }

    /// The number of nobody.
    pub(super) fn nobody(&mut self) -> String {
        format!("E{}", self.dice.number(70_000..80_000))
    }
}

fn course(number: usize) -> Course {
    let (id, title) = COURSES[number];
    Course { id, title }
}
