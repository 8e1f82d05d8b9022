//! A company's deliveries, sent one after the other by a sender that sends again whatever was not answered with success.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use anyhow::Context;
use scoresync_tests::{
    company::{Company, Delivery, Destination, Report, Sender, TrueResult},
    installation::Installation,
    sender::Postman,
};

/// How long one delivery is sent again and again.
const PATIENCE: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(100);

/// The sender.
pub(crate) struct Load<'a> {
    company: &'a Company,
    deliveries: Vec<&'a Delivery>,
    postman: Postman<'a>,
    reports_sent: AtomicUsize,
}

/// What was sent, and how often.
pub(crate) struct Sent<'a> {
    company: &'a Company,
    /// Deliveries and how often each was sent.
    deliveries: Vec<(&'a Delivery, usize)>,
}

impl<'a> Load<'a> {
    pub(crate) fn new(company: &'a Company, installation: &'a Installation) -> anyhow::Result<Self> {
        Ok(Self {
            company,
            deliveries: company.deliveries.iter().collect(),
            postman: Postman::new(installation)?,
            reports_sent: AtomicUsize::new(0),
        })
    }

    /// Files first, as what is interrupted among their rows is another test's matter. No result has reports of two senders.
    pub(crate) fn with_files_first(mut self) -> Self {
        self.deliveries.sort_by_key(|delivery| delivery.origin != Sender::Centre);
        self
    }

    /// Sends everything.
    pub(crate) async fn send_all(&self) -> anyhow::Result<Sent<'a>> {
        let mut deliveries = Vec::new();
        for delivery in &self.deliveries {
            deliveries.push((*delivery, self.send(delivery).await?));
            self.reports_sent.fetch_add(delivery.reports.len(), Ordering::Release);
        }
        Ok(Sent {
            company: self.company,
            deliveries,
        })
    }

    /// Waits until this share of all reports is sent.
    pub(crate) async fn reaches(&self, share: f64) {
        let enough = (self.company.report_count() as f64 * share) as usize;
        while self.reports_sent.load(Ordering::Acquire) < enough {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    async fn send(&self, delivery: &Delivery) -> anyhow::Result<usize> {
        let end = Instant::now() + PATIENCE;
        for tries in 1.. {
            match self.postman.send(delivery).await {
                Ok(()) => return Ok(tries),
                Err(error) if Instant::now() > end || delivery.origin == Sender::Centre => {
                    return Err(error).with_context(|| format!("a delivery of {} was sent {tries} times", delivery.origin));
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
        unreachable!("the tries do not end by themselves")
    }
}

impl Sent<'_> {
    /// Deliveries that were sent more than once because they were not answered.
    pub(crate) fn repeated(&self) -> usize {
        self.deliveries().filter(|(_, tries)| *tries > 1).count()
    }

    /// How many reports there are if each was sent once.
    pub(crate) fn least(&self) -> usize {
        self.company.report_count()
    }

    /// What must become of the reports, given how often each row is in `scores.raw`.
    ///
    /// A delivery that was sent again may be there as often as it was sent, whole or in part, and whatever is there more than once says
    /// what was said before.
    pub(crate) fn expected(&self, copies_of: impl Fn(&str) -> usize) -> (Vec<Report>, Vec<TrueResult>) {
        let mut reports: Vec<Report> = self.deliveries().flat_map(|(delivery, _)| delivery.reports.clone()).collect();
        let mut results = self.company.results.clone();
        for (delivery, tries) in self.deliveries().filter(|(_, tries)| *tries > 1) {
            for report in &delivery.reports {
                let surplus = copies_of(&report.serial).saturating_sub(count(&reports, &report.serial));
                for _ in 0..surplus.min(tries - 1) {
                    let truth = report.truth.when_redelivered();
                    if truth.destination() == Destination::Archive {
                        results[report.result].statements += 1;
                    }
                    reports.push(Report { truth, ..report.clone() });
                }
            }
        }
        (reports, results)
    }

    fn deliveries(&self) -> impl Iterator<Item = (&Delivery, usize)> {
        self.deliveries.iter().copied()
    }
}

fn count(reports: &[Report], serial: &str) -> usize {
    reports.iter().filter(|report| report.serial == serial).count()
}
