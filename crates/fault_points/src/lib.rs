//! Named places at which a test build dies or freezes, and errors that it makes on purpose, so that tests can show what would come of them.
//!
//! Nothing of this is in a program that is built without the feature `armed`: the functions are empty, and the compiler removes them.
//! An armed one is told what to do by its environment:
//!
//! - `FAULT_POINTS_CRASH=rows_written:3`: the process dies when it comes by [`Point::RowsWritten`] for the third time;
//! - `FAULT_POINTS_LINGER=1000`: before it dies, the thread that came by waits for so many milliseconds, and all others go on;
//! - `FAULT_POINTS_FREEZE=batch_taken:1`: it stops there as by SIGSTOP, until somebody lets it go on;
//! - `FAULT_POINTS_BUG=auto_commit`: it makes that error, all the time.

#[cfg(feature = "armed")]
mod armed;
mod bug;
mod point;

pub use bug::Bug;
pub use point::Point;

/// The code comes by this place.
#[inline(always)]
pub fn pass(point: Point) {
    #[cfg(feature = "armed")]
    armed::pass(point);
    #[cfg(not(feature = "armed"))]
    let _ = point;
}

/// Whether this error is to be made.
#[inline(always)]
#[must_use]
pub fn has(bug: Bug) -> bool {
    #[cfg(feature = "armed")]
    return armed::has(bug);
    #[cfg(not(feature = "armed"))]
    {
        let _ = bug;
        false
    }
}
