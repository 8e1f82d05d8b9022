//! The promises under fire: a seeded stream of dirty reports, faults around and inside the pipeline, and a checker that reads everything
//! afterwards and decides whether each promise was kept.
//!
//! The truth about a report comes from whoever made it up (`stream`), never from scoresync; what follows from several reports about one result
//! comes from the plain rule of the domain, applied to what was sent in the order in which the log has it.

mod arena;
pub mod checker;
mod cluster;
mod driver;
mod evidence;
pub mod faults;
mod field;
mod fleet;
mod frail_link;
pub mod report;
mod round;
mod schedule;
mod small_disk;
mod staff;
mod stream;
pub mod traps;
mod watch;

pub use driver::Attempts;
pub use evidence::Evidence;
pub use field::Field;
pub(crate) use fleet::has_crashed;
pub use fleet::{Arming, BUG, CRASH, FREEZE, Fleet, LINGER, Stage};
pub use round::{Lingers, Outcome, Plan, Player, Round};
pub use schedule::{Schedule, Strike};
pub use staff::Staff;
pub use stream::{Owners, Stream};
