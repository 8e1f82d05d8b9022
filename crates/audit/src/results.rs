//! What the archive's rule makes of everything that was said of a result, beside what the archive has of it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    ops::Range,
};

use scoresync_domain::{
    Fate, Origin, ResultId,
    rule::{Judgement, Statement, VersionKey, judge},
};

use crate::{
    books::{self, Books, FindingKind, written},
    counts::{Counts, Partition},
    ledger::{Ledger, Mark},
    people::People,
    remedy::Repairable,
    said::{Course, Hash, History, Item, Place, Record, Refused, Said, contents},
    standing::Standing,
};

/// What is found while one result after the other is judged.
pub(crate) struct Results<'a> {
    pub(crate) ledger: &'a mut Ledger,
    pub(crate) books: &'a mut Books,
    pub(crate) people: &'a People,
    /// What was read of the logs of enriched scores, as far as the sink has.
    pub(crate) read: &'a BTreeMap<Partition, Range<i64>>,
    /// What each score must have come to.
    pub(crate) counts: &'a mut Counts,
    /// The sums of what stands in files, as it must be and as it is.
    pub(crate) courses: BTreeMap<Course, [u128; 2]>,
}

/// A result, and what may be done about it.
type Subject = (ResultId, Repairable);

/// Everything about one result.
#[derive(Default)]
struct Known {
    said: Vec<Said>,
    record: Option<Record>,
    history: Vec<History>,
    /// What was refused for its owner.
    refused: BTreeMap<Place, Refused>,
    /// What a constraint of the database refused.
    set_aside: BTreeMap<Place, Refused>,
}

impl Known {
    fn of(items: Vec<Item>) -> Self {
        let mut known = Self::default();
        for item in items {
            match item {
                Item::Said(said) => known.said.push(said),
                Item::Record(record) => known.record = Some(record),
                Item::History(history) => known.history.push(history),
                Item::Refused(refused) if refused.is_by_owner => drop(known.refused.insert(refused.place, refused)),
                Item::Refused(refused) => drop(known.set_aside.insert(refused.place, refused)),
            }
        }
        known.said.sort_by_key(|said| said.place);
        known
    }

    /// Where everything stood that the archive has of it.
    fn arrivals(&self) -> impl Iterator<Item = Place> {
        let record = self.record.iter().map(|record| record.standing.arrived);
        let refused = self.refused.keys().chain(self.set_aside.keys()).copied();
        record.chain(self.history.iter().map(|row| row.arrived)).chain(refused)
    }
}

impl Results<'_> {
    /// Judges a result.
    pub(crate) fn judge(&mut self, result_id: ResultId, items: Vec<Item>) {
        let mut known = Known::of(items);
        self.books.results += u64::from(known.record.is_some());
        let is_verifiable = self.is_verifiable(&known);
        let repairable = self.repairable(&known);
        if is_verifiable {
            self.compare_refused((result_id, repairable), &known);
        }
        self.doubt(&known.said, is_verifiable);
        // What a constraint of the database refused is no statement to it.
        let (set_aside, said): (Vec<Said>, Vec<Said>) = known.said.into_iter().partition(|said| known.set_aside.contains_key(&said.place));
        known.said = said;
        for said in set_aside.into_iter().chain(self.take_undecidable(&mut known)) {
            self.count(&said, Fate::Refused);
        }
        let statements: Vec<Statement> = known.said.iter().map(|said| self.statement(said)).collect();
        let judged = judge(&statements);
        let retracted = retracted(&known.said);
        for (said, fate) in known.said.iter().zip(fates(&known.said, &statements)) {
            if retracted.contains(&said.origin()) {
                self.counts.expect((said.place.0, said.place.1), fate);
                self.ledger.mark(said.origin(), Mark::Retracted);
            } else {
                self.count(said, fate);
            }
        }
        if is_verifiable {
            self.compare((result_id, repairable), &known, &judged);
        } else {
            self.books.unverifiable_results += 1;
        }
    }

    /// Whether everything that it was made from could be read. Where there is nothing of it, the whole log must be there.
    fn is_verifiable(&self, known: &Known) -> bool {
        let of = |place: Place| self.read.get(&(place.0, place.1));
        let is_read = |place: Place| of(place).is_some_and(|read| read.contains(&place.2));
        let is_whole = |said: &Said| of(said.place).is_some_and(|read| read.start == 0);
        let is_anything = known.arrivals().next().is_some();
        known.arrivals().all(is_read) && (is_anything || known.said.iter().all(is_whole))
    }

    fn repairable(&self, known: &Known) -> Repairable {
        let named = known.said.iter().filter_map(|said| said.employee_no());
        let owner = known.record.iter().filter_map(|record| record.standing.owner.as_deref());
        if named.chain(owner).any(|number| self.people.was_another(number)) {
            Repairable::No
        } else {
            Repairable::Yes
        }
    }

    fn statement(&self, said: &Said) -> Statement {
        said.statement(said.employee_no().map(|number| self.people.person(number).to_owned()))
    }

    /// Takes out what was refused as it names another than the owner who once was, or may have been, the same person: whether they were the
    /// same when it came, nobody can tell any more.
    fn take_undecidable(&self, known: &mut Known) -> Vec<Said> {
        let owner = known.record.as_ref().and_then(|record| record.standing.owner.as_deref());
        let owner = owner.map(|number| self.people.person(number));
        let is_undecidable = |said: &mut Said| {
            let named = said.employee_no().filter(|number| self.people.was_another(number));
            named.is_some_and(|number| owner == Some(self.people.person(number))) && known.refused.remove(&said.place).is_some()
        };
        known.said.extract_if(.., is_undecidable).collect()
    }

    fn count(&mut self, said: &Said, fate: Fate) {
        self.counts.expect((said.place.0, said.place.1), fate);
        self.ledger.mark(said.origin(), Mark::of(fate));
    }

    /// Where a person decided, or somebody was replaced, fates depend on when; and on what cannot be read any more.
    fn doubt(&mut self, said: &[Said], is_verifiable: bool) {
        let is_replaced = |number: &str| self.people.last(number) != number || self.people.was_another(number);
        let is_doubtful = |said: &Said| said.is_decided() || said.employee_no().is_some_and(is_replaced);
        if !is_verifiable || said.iter().any(is_doubtful) {
            for said in said {
                self.counts.doubt((said.place.0, said.place.1));
            }
        }
    }

    /// Whatever is refused was said so.
    fn compare_refused(&mut self, result: Subject, known: &Known) {
        for (place, refused) in known.refused.iter().chain(&known.set_aside) {
            let said = known
                .said
                .binary_search_by_key(place, |said| said.place)
                .ok()
                .map(|number| &known.said[number]);
            let text = match said {
                Some(said) if (said.head, said.content) == (refused.head, refused.content) => continue,
                Some(_) => format!("the refusal says otherwise what the score at {} said", written(*place)),
                None => format!("there is a refusal of a score at {}, and none stands there", written(*place)),
            };
            self.find(FindingKind::ExtraRefusal, result, text);
        }
    }

    fn find(&mut self, kind: FindingKind, (result_id, repairable): Subject, text: impl Into<String>) {
        self.books.find(kind, books::Item::Result(result_id), text);
        if repairable == Repairable::No {
            self.books.remedy.leave(result_id);
        }
    }

    fn compare(&mut self, result: Subject, known: &Known, judged: &Judgement) {
        let must_be = judged.record.map(|number| Standing {
            head: known.said[number].head,
            arrived: known.said[number].place,
            owner: named_first(&known.said, judged.decision),
            decision: judged.decision,
            shown: judged.shown.map(|number| known.said[number].shown()),
        });
        let (must_be, is) = (must_be.as_ref(), known.record.as_ref().map(|record| &record.standing));
        for (number, record) in [must_be, is].into_iter().enumerate() {
            if let Some(record) = record {
                let course = record.shown.as_ref().map(|shown| shown.course.clone()).unwrap_or_default();
                let sum = &mut self.courses.entry(course).or_default()[number];
                *sum = sum.wrapping_add(record.hash(result.0));
            }
        }
        match (must_be, is) {
            (None, None) => {}
            (Some(must_be), None) => {
                let text = format!("it has no record; the score at {} must be it", written(must_be.arrived));
                self.find(FindingKind::MissingRecord, result, text);
            }
            (None, Some(is)) => {
                let text = format!("it has a record, from {}, and nothing that was said makes one", written(is.arrived));
                self.find(FindingKind::ExtraRecord, result, text);
            }
            (Some(must_be), Some(is)) => {
                if let Some(text) = must_be.differs_from(is) {
                    self.find(FindingKind::AlteredRecord, result, text);
                }
            }
        }
        self.compare_history(result, known, judged);
        let refused: BTreeSet<Place> = judged.refused.iter().map(|number| known.said[*number].place).collect();
        let are: BTreeSet<Place> = known.refused.keys().copied().collect();
        for place in refused.difference(&are) {
            let text = format!(
                "the score at {} must be refused, as it names another employee, and is not",
                written(*place)
            );
            self.find(FindingKind::MissingRefusal, result, text);
        }
        for place in are.difference(&refused) {
            let text = format!("the score at {} is refused, and must not be", written(*place));
            self.find(FindingKind::ExtraRefusal, result, text);
        }
    }

    /// Everything that counts or counted must be in the history, once. So must a record that shows what another statement said; others may be.
    fn compare_history(&mut self, result: Subject, known: &Known, judged: &Judgement) {
        let record = judged.record.map(|number| known.said[number].head);
        let mut must_be: HashMap<Hash, &Said> = HashMap::new();
        for number in first_of_copies(&known.said, &judged.refused) {
            let said = &known.said[number];
            must_be.insert(said.head, said);
        }
        let contents = contents(known.record.as_ref(), &known.history);
        for row in &known.history {
            let content = row.content(&contents);
            let text = match must_be.remove(&row.head) {
                Some(said) if content == Some(said.content) => continue,
                Some(_) => format!("the history says otherwise what the score at {} said", written(row.arrived)),
                None => format!("the history has a statement from {} that must not be in it", written(row.arrived)),
            };
            self.find(FindingKind::ExtraHistory, result, text);
        }
        let stands_alone = judged.record == judged.shown;
        let missing = must_be.values().filter(|said| !stands_alone || record != Some(said.head));
        let mut missing: Vec<Place> = missing.map(|said| said.place).collect();
        missing.sort_unstable();
        for place in missing {
            let text = format!("the score at {} is neither the record nor in the history", written(place));
            self.find(FindingKind::MissingHistory, result, text);
        }
    }
}

/// Whom the deciding statement names: the first of the greatest decision, as it is written. Who took whose place since is no matter.
fn named_first(said: &[Said], decision: i64) -> Option<String> {
    let deciding = said
        .iter()
        .find(|said| said.employee_no().is_some() && said.stated.decision == decision)?;
    deciding.stated.employee_no.clone()
}

/// The reports that say nothing of the result any more.
fn retracted(said: &[Said]) -> HashSet<Origin> {
    let mut best: HashMap<Origin, &Said> = HashMap::new();
    if said.iter().any(|said| said.stated.is_retraction()) {
        for said in said {
            let kept = best.entry(said.origin()).or_insert(said);
            if said.stated.precedence() > kept.stated.precedence() {
                *kept = said;
            }
        }
    }
    let retracted = best.into_iter().filter(|(_, said)| said.stated.is_retraction());
    retracted.map(|(origin, _)| origin).collect()
}

/// Of outputs that were written twice the first, of those that are not refused.
fn first_of_copies(said: &[Said], refused: &[usize]) -> Vec<usize> {
    let mut by_origin: HashMap<Origin, Vec<usize>> = HashMap::new();
    let mut first = Vec::new();
    for number in (0..said.len()).filter(|number| refused.binary_search(number).is_err()) {
        let of_origin = by_origin.entry(said[number].origin()).or_default();
        if !of_origin.iter().any(|known| said[*known].is_copy_of(&said[number])) {
            of_origin.push(number);
            first.push(number);
        }
    }
    first
}

/// Owner, record and what it shows, as people see them.
type View = (Option<String>, Option<VersionKey>, Option<VersionKey>);

fn view(judged: &Judgement, statements: &[Statement]) -> View {
    let version = |number: Option<usize>| number.map(|number| statements[number].version());
    (judged.owner.clone(), version(judged.record), version(judged.shown))
}

/// What each statement changed when it came, one at a time. What was refused, and counts since a person decided, changed something then.
fn fates(said: &[Said], statements: &[Statement]) -> Vec<Fate> {
    let mut fates = Vec::with_capacity(said.len());
    let (mut origins, mut latest) = (HashSet::new(), None);
    let mut before = Judgement::default();
    let mut seen: View = (None, None, None);
    for (number, statement) in statements.iter().enumerate() {
        let is_last = latest.is_none_or(|latest| statement.origin > latest);
        latest = latest.max(Some(statement.origin));
        let is_new = origins.insert(statement.origin);
        // Most of what is said again is said of the record, and changes nothing but its place.
        let says_as_much = |record: &Statement| record.version() == statement.version() && record.revision == statement.revision;
        let repeats_the_record = is_last
            && !said[number].is_decided()
            && before.decision == 0
            && before.record.is_some_and(|record| says_as_much(&statements[record]))
            && (statement.employee_no.is_none() || statement.employee_no == seen.0);
        if repeats_the_record {
            fates.push(Fate::Duplicate);
            continue;
        }
        let present = &statements[..=number];
        let after = judge(present);
        let counts = |other: usize| before.refused.binary_search(&other).is_err();
        let is_copy = !is_new && (0..number).any(|other| counts(other) && said[other].is_copy_of(&said[number]));
        let next = view(&after, present);
        fates.push(if is_copy {
            Fate::Duplicate
        } else if after.refused.binary_search(&number).is_ok() {
            Fate::Refused
        } else if next != seen {
            Fate::Filed
        } else if before.versions.contains_key(&statement.version()) {
            Fate::Duplicate
        } else {
            Fate::Superseded
        });
        (before, seen) = (after, next);
    }
    for (number, fate) in fates.iter_mut().enumerate() {
        if *fate == Fate::Refused && before.refused.binary_search(&number).is_err() {
            *fate = Fate::Superseded;
        }
    }
    fates
}

#[cfg(test)]
mod tests;
