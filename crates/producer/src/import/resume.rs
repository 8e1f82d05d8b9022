//! Where the import of a file begins: a pure decision over what was kept of the last one.

use scoresync_domain::Repeat;
use serde::Serialize;

use super::{checkpoint::Checkpoint, fingerprint::Fingerprint};

/// Whether to go on where an import stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resume {
    /// Where it is the same file again.
    #[default]
    WherePossible,
    /// Never (`--restart`).
    Never,
}

/// Something about the beginning or the end of a file's import that people should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// It goes on where the last import stopped.
    Resumed,
    /// It begins anew because that was asked for.
    Restarted,
    /// It begins anew: the file is another one than when its import stopped.
    FileChanged,
    /// It begins anew: the file is read in another way than when its import stopped.
    SettingsChanged,
    /// It begins anew: the topic is another one than when its import stopped.
    TopicChanged,
    /// It was imported completely before and is sent again, which changes nothing.
    ImportedBefore,
    /// The file changed while it was imported: import it again.
    ChangedMeanwhile,
    /// How far the import is could not be kept on disk (see the log): an import that is stopped begins anew.
    NotKept,
}

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// At this row, from 1.
    At(u64, Option<Notice>),
    /// Nowhere: all of it was imported, and from this source saying it again would count as a correction.
    AlreadyImported,
}

/// Decides where to begin.
pub(super) fn beginning(found: Option<&Checkpoint>, present: &Fingerprint, (resume, repeat): (Resume, Repeat)) -> Beginning {
    let Some(found) = found else { return Beginning::At(1, None) };
    if resume == Resume::Never {
        return Beginning::At(1, Some(Notice::Restarted));
    }
    if let Some(difference) = difference(&found.fingerprint, present) {
        return Beginning::At(1, Some(difference));
    }
    match (found.is_complete, repeat) {
        (true, Repeat::Redelivery) => Beginning::At(1, Some(Notice::ImportedBefore)),
        (true, Repeat::Correction) => Beginning::AlreadyImported,
        (false, _) if found.first_unacknowledged <= 1 => Beginning::At(1, None),
        (false, _) => Beginning::At(found.first_unacknowledged, Some(Notice::Resumed)),
    }
}

fn difference(found: &Fingerprint, present: &Fingerprint) -> Option<Notice> {
    let file = |fingerprint: &Fingerprint| (fingerprint.size, fingerprint.modified_ms, fingerprint.head_sha256.clone());
    if found.topic_id != present.topic_id {
        Some(Notice::TopicChanged)
    } else if file(found) != file(present) {
        Some(Notice::FileChanged)
    } else {
        (found != present).then_some(Notice::SettingsChanged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint() -> Fingerprint {
        Fingerprint {
            source: "academy".to_owned(),
            path: "/exports/scores.csv".to_owned(),
            path_sha256: "dd".to_owned(),
            size: 100,
            modified_ms: 1,
            head_sha256: "aa".to_owned(),
            reading_sha256: "bb".to_owned(),
            topic_id: "cc".to_owned(),
        }
    }

    fn found(first_unacknowledged: u64, is_complete: bool) -> Checkpoint {
        Checkpoint::new(fingerprint(), first_unacknowledged, is_complete)
    }

    fn check(found: &Checkpoint, present: &Fingerprint, how: (Resume, Repeat), expected: Beginning) {
        assert_eq!(beginning(Some(found), present, how), expected, "{found:?} {present:?} {how:?}");
    }

    const PLAIN: (Resume, Repeat) = (Resume::WherePossible, Repeat::Redelivery);
    const CORRECTION: (Resume, Repeat) = (Resume::WherePossible, Repeat::Correction);

    #[test]
    fn the_same_file_goes_on_where_it_stopped() {
        assert_eq!(beginning(None, &fingerprint(), PLAIN), Beginning::At(1, None));
        check(&found(42, false), &fingerprint(), PLAIN, Beginning::At(42, Some(Notice::Resumed)));
        check(
            &found(42, false),
            &fingerprint(),
            CORRECTION,
            Beginning::At(42, Some(Notice::Resumed)),
        );
        check(&found(1, false), &fingerprint(), PLAIN, Beginning::At(1, None));
    }

    #[test]
    fn anything_else_begins_anew() {
        let text = |text: &str| text.to_owned();
        for (present, notice) in [
            (
                Fingerprint {
                    size: 101,
                    ..fingerprint()
                },
                Notice::FileChanged,
            ),
            (
                Fingerprint {
                    modified_ms: 2,
                    ..fingerprint()
                },
                Notice::FileChanged,
            ),
            (
                Fingerprint {
                    head_sha256: text("ab"),
                    ..fingerprint()
                },
                Notice::FileChanged,
            ),
            (
                Fingerprint {
                    reading_sha256: text("bc"),
                    ..fingerprint()
                },
                Notice::SettingsChanged,
            ),
            (
                Fingerprint {
                    topic_id: text("cd"),
                    ..fingerprint()
                },
                Notice::TopicChanged,
            ),
        ] {
            for is_complete in [true, false] {
                check(&found(42, is_complete), &present, CORRECTION, Beginning::At(1, Some(notice)));
            }
        }
        let restart = (Resume::Never, Repeat::Correction);
        check(
            &found(42, false),
            &fingerprint(),
            restart,
            Beginning::At(1, Some(Notice::Restarted)),
        );
    }

    #[test]
    fn a_complete_file_is_sent_again_only_where_that_changes_nothing() {
        check(
            &found(42, true),
            &fingerprint(),
            PLAIN,
            Beginning::At(1, Some(Notice::ImportedBefore)),
        );
        check(&found(42, true), &fingerprint(), CORRECTION, Beginning::AlreadyImported);
        let restart = (Resume::Never, Repeat::Correction);
        check(&found(42, true), &fingerprint(), restart, Beginning::At(1, Some(Notice::Restarted)));
    }
}
