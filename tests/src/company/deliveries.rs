//! From stories to deliveries: the steps of many stories are mixed, written, and put into bodies; some bodies are sent twice.

use std::fmt;

use super::{dice::Dice, row::Row, story::Story, truth::Report, write};

/// What is sent at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Whose it is.
    pub origin: Sender,
    /// A body for the source's door, or the content of a file.
    pub body: Vec<u8>,
    /// One for each row of the body, in their order.
    pub reports: Vec<Report>,
}

/// The three sources, each with its way of sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sender {
    /// Pushes JSON.
    Academy,
    /// Pushes XML.
    Skills,
    /// Exports one CSV file in GB18030.
    Centre,
}

impl Sender {
    /// The name of the source in `examples/scoresync.toml`.
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Self::Academy => "academy",
            Self::Skills => "skills",
            Self::Centre => "centre",
        }
    }

    /// The media type of its bodies.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Academy => "application/json",
            Self::Skills => "application/xml",
            Self::Centre => "text/csv",
        }
    }

    const fn initial(self) -> char {
        match self {
            Self::Academy => 'A',
            Self::Skills => 'S',
            Self::Centre => 'C',
        }
    }

    fn row(self, row: &Row) -> Vec<u8> {
        match self {
            Self::Academy => write::json_object(row),
            Self::Skills => write::xml_element(row),
            Self::Centre => write::csv_line(row),
        }
    }

    fn body(self, rows: &[Vec<u8>]) -> Vec<u8> {
        match self {
            Self::Academy => write::json_body(rows),
            Self::Skills => write::xml_body(rows),
            Self::Centre => write::csv_body(rows),
        }
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.source())
    }
}

/// A story and what the company knows it by.
pub(super) struct Told {
    pub(super) case: &'static str,
    /// The number of its result.
    pub(super) result: usize,
    pub(super) story: Story,
}

/// Rows of bodies that are sent twice; what a sender with retries sends in all is so many more.
pub(super) const REDELIVERED: [usize; 6] = [1, 2, 5, 9, 14, 20];
/// Rows of one body at most.
const LARGEST: u64 = 50;
/// So many stories are under way at once.
const UNDER_WAY: usize = 40;

/// Pushes bodies of 1 to 50 rows. A body that is sent twice comes again at once or a few bodies later.
pub(super) fn pushed(sender: Sender, told: Vec<Told>, dice: &mut Dice) -> Vec<Delivery> {
    let mut rows = Writer::new(sender).write(mixed(told, dice)).into_iter();
    let mut sizes: Vec<(usize, bool)> = REDELIVERED.map(|size| (size, true)).to_vec();
    let mut open = rows.len() - REDELIVERED.iter().sum::<usize>();
    while open > 0 {
        let size = open.min(dice.number(1..LARGEST + 1) as usize);
        sizes.push((size, false));
        open -= size;
    }
    dice.shuffle(&mut sizes);
    let mut deliveries = Vec::new();
    let mut again: Vec<(usize, Delivery)> = Vec::new();
    for (size, is_redelivered) in sizes {
        let delivery = delivery(sender, rows.by_ref().take(size).collect());
        if is_redelivered {
            again.push((deliveries.len() + dice.index(4), redelivery(&delivery)));
        }
        deliveries.push(delivery);
        let (due, waiting) = again.into_iter().partition(|(place, _)| *place < deliveries.len());
        again = waiting;
        let due: Vec<(usize, Delivery)> = due;
        deliveries.extend(due.into_iter().map(|(_, delivery)| delivery));
    }
    deliveries.extend(again.into_iter().map(|(_, delivery)| delivery));
    deliveries
}

/// Everything in one file.
pub(super) fn exported(sender: Sender, told: Vec<Told>, dice: &mut Dice) -> Delivery {
    delivery(sender, Writer::new(sender).write(mixed(told, dice)))
}

/// Each row alone.
pub(super) fn one_by_one(sender: Sender, told: Vec<Told>, first_serial: usize) -> Vec<Delivery> {
    let steps = told.into_iter().flat_map(Told::steps).collect();
    let writer = Writer {
        serial: first_serial,
        ..Writer::new(sender)
    };
    writer.write(steps).into_iter().map(|row| delivery(sender, vec![row])).collect()
}

fn delivery(sender: Sender, rows: Vec<(Vec<u8>, Report)>) -> Delivery {
    let (bytes, reports): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    Delivery {
        origin: sender,
        body: sender.body(&bytes),
        reports,
    }
}

fn redelivery(delivery: &Delivery) -> Delivery {
    let again = |report: &Report| Report {
        truth: report.truth.when_redelivered(),
        ..report.clone()
    };
    Delivery {
        reports: delivery.reports.iter().map(again).collect(),
        ..delivery.clone()
    }
}

impl Told {
    /// The rows with what is known of them, but without serials.
    fn steps(self) -> Vec<(Row, Report)> {
        let Self { case, result, story } = self;
        let report = |truth| Report {
            serial: String::new(),
            case,
            result,
            truth,
        };
        story.steps.into_iter().map(|step| (step.row, report(step.truth))).collect()
    }
}

/// The steps of all stories, each story's in its order.
fn mixed(told: Vec<Told>, dice: &mut Dice) -> Vec<(Row, Report)> {
    let mut waiting: Vec<_> = told.into_iter().map(|told| told.steps().into_iter()).collect();
    dice.shuffle(&mut waiting);
    let mut under_way = Vec::new();
    let mut mixed = Vec::new();
    loop {
        while under_way.len() < UNDER_WAY
            && let Some(next) = waiting.pop()
        {
            under_way.push(next);
        }
        if under_way.is_empty() {
            return mixed;
        }
        let chosen = dice.index(under_way.len());
        match under_way[chosen].next() {
            Some(step) => mixed.push(step),
            None => drop(under_way.swap_remove(chosen)),
        }
    }
}

/// Writes rows, each with a serial of its own.
struct Writer {
    sender: Sender,
    serial: usize,
}

impl Writer {
    const fn new(sender: Sender) -> Self {
        Self { sender, serial: 0 }
    }

    fn write(mut self, steps: Vec<(Row, Report)>) -> Vec<(Vec<u8>, Report)> {
        steps.into_iter().map(|(row, report)| self.write_row(row, report)).collect()
    }

    fn write_row(&mut self, mut row: Row, report: Report) -> (Vec<u8>, Report) {
        self.serial += 1;
        let serial = format!("{}{:06}", self.sender.initial(), self.serial);
        row.cells.insert(0, ("serial", serial.as_str().into()));
        (self.sender.row(&row), Report { serial, ..report })
    }
}
