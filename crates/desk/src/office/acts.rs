//! What people do with many letters at once, a page at a time.

use std::{
    collections::BTreeSet,
    num::NonZeroU32,
    slice::Chunks,
    time::{Duration, Instant},
};

use scoresync_archive::{Archive, ArchiveError, Letter, LetterFilter, LetterId, LetterPage, Request};
use scoresync_domain::{LetterState, Timestamp};

use super::{Office, PAGE, Selection, Tally, no_letter, now};

/// The open letters that something is done with.
#[derive(Clone, Debug)]
pub struct Meant {
    letters: Vec<LetterId>,
    filter: LetterFilter,
}

/// Why it is not clear what is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    /// Nobody means everything by saying nothing.
    #[error("say which letters are meant: name them, filter them, or say that all are meant")]
    Nothing,
    /// Of two answers one would be overlooked.
    #[error("letters are named, or filtered, or all are meant: say one of these alone")]
    SeveralAnswers,
}

/// Whether letters are named, or filtered, or all are meant.
///
/// # Errors
/// None of these is said, or more than one.
pub fn check_said(letters: &[LetterId], selection: &Selection, all: bool) -> Result<(), Unclear> {
    let said = [!letters.is_empty(), *selection != Selection::default(), all];
    match said.into_iter().filter(|said| *said).count() {
        0 => Err(Unclear::Nothing),
        1 => Ok(()),
        _ => Err(Unclear::SeveralAnswers),
    }
}

/// Who does something, and whether it is only tried.
#[derive(Clone, Copy, Debug)]
pub struct Act<'a> {
    /// Who.
    pub actor: &'a str,
    /// Why.
    pub because: &'a str,
    /// Nothing is changed.
    pub dry_run: bool,
    /// So many letters in a second at most.
    pub rate: Option<NonZeroU32>,
}

impl Act<'_> {
    fn request(&self, action: &'static str) -> Request<'_> {
        Request {
            actor: self.actor,
            action,
            reason: self.because,
            at: now(),
        }
    }
}

impl Office {
    /// Open letters that are named, or all that a selection means, or all.
    ///
    /// # Errors
    /// None of these is said, or more than one.
    pub fn meant(&self, letters: Vec<LetterId>, selection: &Selection, all: bool) -> Result<Meant, Unclear> {
        check_said(&letters, selection, all)?;
        Ok(Meant {
            letters: letters.into_iter().collect::<BTreeSet<_>>().into_iter().collect(),
            ..self.selected(selection)
        })
    }

    /// All open letters that a selection means.
    pub(super) fn selected(&self, selection: &Selection) -> Meant {
        Meant {
            letters: Vec::new(),
            filter: self.rules.filter(selection, Some(LetterState::Open)),
        }
    }

    /// Asks for letters to be sent through the pipeline again, byte for byte; a running desk sends them.
    ///
    /// # Errors
    /// As for any change of the archive; what was asked for before stands.
    pub async fn redrive(&self, meant: &Meant, act: &Act<'_>, progress: impl Fn(&Tally)) -> Result<Tally, ArchiveError> {
        let (mut tally, mut pace) = (Tally::of(act), Pace::new(act.rate));
        let mut pages = Pages::of(meant);
        while let Some(letters) = pages.next(&self.archive).await? {
            tally.meant += letters.len() as u64;
            let letters = letters.into_iter().filter(|letter| tally.admits(letter, self.rules.max_attempts));
            let mut ids: Vec<LetterId> = letters.map(|letter| letter.id).collect();
            if act.dry_run {
                tally.done += ids.len() as u64;
                ids.clear();
            }
            for some in ids.chunks(pace.portion()) {
                pace.wait(some.len()).await;
                tally.done += self
                    .archive
                    .queue_redrives(some, &act.request("redrive"), self.rules.max_attempts)
                    .await?;
                progress(&tally);
            }
        }
        Ok(tally)
    }

    /// Closes letters that are nothing.
    ///
    /// # Errors
    /// As for any change of the archive; what was discarded before stays so.
    pub async fn discard(&self, meant: &Meant, act: &Act<'_>, progress: impl Fn(&Tally)) -> Result<Tally, ArchiveError> {
        let (mut tally, mut pace) = (Tally::of(act), Pace::new(act.rate));
        let mut pages = Pages::of(meant);
        while let Some(letters) = pages.next(&self.archive).await? {
            tally.meant += letters.len() as u64;
            let ids: Vec<LetterId> = letters.into_iter().map(|letter| letter.id).collect();
            if act.dry_run {
                tally.done += ids.len() as u64;
                continue;
            }
            for some in ids.chunks(pace.portion()) {
                pace.wait(some.len()).await;
                tally.done += self.archive.discard_letters(some, &act.request("discard")).await?;
                progress(&tally);
            }
        }
        Ok(tally)
    }

    /// Forgets letters that were closed before a moment; says how many. That somebody did is noted, about no letter in particular.
    ///
    /// # Errors
    /// As for any change of the archive; what was forgotten before stays so.
    pub async fn purge(&self, closed_before: Timestamp, act: &Act<'_>) -> Result<u64, ArchiveError> {
        if act.dry_run {
            return self.archive.purgeable_letters(closed_before).await;
        }
        self.archive.note_desk_event(&[no_letter()], &act.request("purge")).await?;
        let mut forgotten = 0;
        loop {
            match self.archive.purge_letters(closed_before, PAGE).await? {
                0 => return Ok(forgotten),
                some => forgotten += some,
            }
        }
    }
}

/// The open letters that are meant, some at a time.
struct Pages<'a> {
    meant: &'a Meant,
    named: Chunks<'a, LetterId>,
    after: Option<(Timestamp, LetterId)>,
    is_over: bool,
}

impl<'a> Pages<'a> {
    fn of(meant: &'a Meant) -> Self {
        Self {
            meant,
            named: meant.letters.chunks(PAGE as usize),
            after: None,
            is_over: false,
        }
    }

    async fn next(&mut self, archive: &Archive) -> Result<Option<Vec<Letter>>, ArchiveError> {
        if !self.meant.letters.is_empty() {
            let Some(named) = self.named.next() else { return Ok(None) };
            let mut letters = Vec::new();
            for id in named {
                let found = archive.letter(id).await?.map(|(letter, _)| letter);
                letters.extend(found.filter(|letter| letter.state == LetterState::Open));
            }
            return Ok(Some(letters));
        }
        if self.is_over {
            return Ok(None);
        }
        let page = LetterPage {
            after: self.after.take(),
            limit: PAGE,
        };
        let letters = archive.letters(&self.meant.filter, &page).await?;
        self.is_over = letters.len() < PAGE as usize;
        self.after = letters.last().map(Letter::place);
        Ok(Some(letters))
    }
}

/// So many letters in a second at most.
struct Pace {
    per_second: Option<NonZeroU32>,
    begun: Instant,
    asked: u64,
}

impl Pace {
    fn new(per_second: Option<NonZeroU32>) -> Self {
        Self {
            per_second,
            begun: Instant::now(),
            asked: 0,
        }
    }

    /// How many are asked for at once.
    fn portion(&self) -> usize {
        self.per_second.map_or(PAGE, |rate| rate.get().min(PAGE)) as usize
    }

    async fn wait(&mut self, count: usize) {
        if let Some(rate) = self.per_second {
            let due = Duration::from_secs_f64(self.asked as f64 / f64::from(rate.get()));
            tokio::time::sleep_until((self.begun + due).into()).await;
        }
        self.asked += count as u64;
    }
}
